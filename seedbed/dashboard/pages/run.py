"""The page on a run, its trials' learning curves, and the photographs behind its figures."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...terminal.hints import seedbed
from ..answers.images import FileList, TestImages
from ..answers.runs import Health, Run
from ..api import ApiError, segment
from ..rendering import page, site_of
from ..views import run as view
from ..views.images import images_view
from ..views.search import curves_view, search
from ..views.trials import Query, Table, axes_of, table, trials_of

MISTAKES_SHOWN = 24
IMAGES_SHOWN = 24


def run(request: Request) -> Response:
    """A run; htmx asks for its table of trials, or for what changes while it is in progress, alone."""
    site, run_id = site_of(request), request.path_params["run_id"]
    found = site.api.get(Run, f"/runs/{segment(run_id)}")
    trials = trials_table(found, request)
    if part_of(request) == "trials":
        return page(request, "run_trials.html", run_id=found.run_id, table=trials, active=found.in_progress)
    best = site.api.get(Health, "/health").best_model
    context: dict[str, Any] = {
        "head": view.head(found, best),
        "search": search(found),
        "retry": seedbed("retry", found.run_id, aws=site.aws),
    }
    if part_of(request) == "live":
        answer = page(request, "run_live.html", **context)
        if not found.in_progress:
            answer.headers["HX-Refresh"] = "true"
        return answer
    return page(
        request,
        "run.html",
        **context,
        run_id=found.run_id,
        active=found.in_progress,
        table=trials,
        result=view.result(found),
        mistakes=mistakes_of(request, found),
    )


def part_of(request: Request) -> str:
    """The element of the page that htmx asks for; empty for all of it."""
    return request.headers.get("HX-Target", "") if request.headers.get("HX-Request") == "true" else ""


def trials_table(found: Run, request: Request) -> Table:
    """The trials that the address asks for."""
    columns = list(dict.fromkeys(axis.name for stage in ("tune", "fine-tune") for axis in axes_of(found, stage)))
    every = trials_of(found)
    used = [name for name in columns if any(name in trial.values for trial in every)]
    return table(every, used, Query.read(dict(request.query_params), used))


def mistakes_of(request: Request, found: Run) -> tuple[view.MistakeView, ...]:
    """The most confident mistakes; none before the evaluation, or if they can't be read."""
    if not found.evaluation:
        return ()
    site = site_of(request)
    path = f"/runs/{segment(found.run_id)}/files"
    try:
        files = site.api.get(FileList, path, kind="mistake", limit=MISTAKES_SHOWN).files
    except ApiError as error:
        if error.is_away:
            raise
        return ()
    return view.mistakes(files, site.pictures.link)


def trial(request: Request) -> Response:
    """A trial's learning curves."""
    site, run_id, job = site_of(request), request.path_params["run_id"], request.path_params["job"]
    found = site.api.get(Run, f"/runs/{segment(run_id)}")
    heads = [trial for trial in trials_of(found) if trial.job == job]
    known = [each for each in found.trials if each.name == job]
    if not known:
        raise ApiError(f"The run {run_id} has no trial {job}.", 404)
    epochs = site.curves.of(site.api, found.run_id, known).get(job, ())
    curves = curves_view(epochs, request.query_params.get("head", ""))
    chosen = next((trial for trial in heads if trial.head == curves.head), heads[0])
    template = "run_curves.html" if part_of(request) == "curves" else "run_trial.html"
    return page(request, template, run_id=found.run_id, trial=chosen, others=heads, curves=curves)


def images(request: Request) -> Response:
    """The photographs in a cell of the confusion matrix, or of a label."""
    site, run_id = site_of(request), request.path_params["run_id"]
    label, predicted = (request.query_params.get(name, "") for name in ("label", "predicted"))
    cursor = request.query_params.get("cursor", "")
    path = f"/runs/{segment(run_id)}/predictions"
    answer = site.api.get(TestImages, path, label=label, predicted=predicted, limit=IMAGES_SHOWN, cursor=cursor)
    found = images_view(answer, label, predicted, site.pictures.link)
    template = "run_images_part.html" if part_of(request) in {"cell", "more"} else "run_images.html"
    return page(request, template, run_id=run_id, images=found, first=not cursor)


ROUTES = [
    Route("/runs/{run_id}", run),
    Route("/runs/{run_id}/images", images),
    Route("/runs/{run_id}/trials/{job}", trial),
]
