"""The page on a dataset: what it holds, and what may be wrong with it."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...terminal.hints import seedbed
from ..answers.images import FileList
from ..answers.runs import Dataset, RunList, version_of
from ..api import segment
from ..rendering import Site, page, site_of
from ..views import dataset as view

SHOWN, SHOWN_ALONE, SAMPLES, RUNS_LOOKED_AT = 24, 96, 200, 50
TITLES = {
    "likely_wrong": "Labels that are likely wrong",
    "near_duplicate": "Nearly the same picture in two splits",
    "duplicate": "The same picture twice",
    "refused": "Files that were refused",
}


def newest(request: Request) -> Response:
    """The way to the dataset of the newest run that has one."""
    site = site_of(request)
    runs = site.api.get(RunList, "/runs", limit=RUNS_LOOKED_AT).runs
    run = next((run for run in runs if run.images is not None), next(iter(runs), None))
    if run is None:
        upload = seedbed("upload", "photos", home=site.home)
        return page(request, "dataset_empty.html", title="No dataset yet", upload=upload)
    return RedirectResponse(f"/datasets/{quote(version_of(run.run_id), safe='')}")


def dataset(request: Request) -> Response:
    """A version of the dataset; with `kind` in the query, the images of one kind alone."""
    site, version = site_of(request), request.path_params["version"]
    found = site.api.get(Dataset, f"/datasets/{segment(version)}")
    run_id, kind = view.prepared_run(found).run_id, request.query_params.get("kind", "")
    if kind in TITLES:
        one = listed(site, run_id, kind, SHOWN_ALONE, request.query_params.get("cursor"))
        return page(request, "dataset_kind.html", version=version, titles=TITLES, section=one, **help_for(site, one))
    if found.report is None:
        return page(request, "dataset_empty.html", title="Not prepared yet", upload="")
    sections = [listed(site, run_id, kind, SHOWN) for kind in TITLES]
    samples = site.api.get(FileList, f"/runs/{segment(run_id)}/files", kind="sample", limit=SAMPLES)
    shown = view.dataset_view(found, found.report, samples, site.pictures.link)
    context = help_for(site, sections[0])
    return page(request, "dataset.html", dataset=shown, version=version, titles=TITLES, sections=sections, **context)


def listed(site: Site, run_id: str, kind: str, limit: int, cursor: str | None = None) -> view.Section:
    """A run's images of a kind, at most `limit` of them."""
    found = site.api.get(FileList, f"/runs/{segment(run_id)}/files", kind=kind, limit=limit, cursor=cursor)
    return view.section(kind, found, site.pictures.link)


def help_for(site: Site, section: view.Section) -> dict[str, Any]:
    """The commands that move the images of the section to the suggested labels, for the template."""
    wrong = section.files if section.kind == "likely_wrong" else ()
    return {"moves": [view.move_command(site.api.stack.bucket, file) for file in wrong]}


ROUTES = [Route("/datasets", newest), Route("/datasets/{version}", dataset)]
