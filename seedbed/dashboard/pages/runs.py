"""The page that lists the runs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers.runs import RunList
from ..rendering import page, site_of
from ..views import runs as view

SHOWN = 50


def runs(request: Request) -> Response:
    """The runs, newest first, a page at a time."""
    site = site_of(request)
    listed = site.api.get(RunList, "/runs", limit=SHOWN, cursor=request.query_params.get("cursor"))
    rows = view.rows(listed.runs)
    return page(
        request,
        "runs.html",
        runs=rows,
        costs=any(row.cost for row in rows),
        next=listed.next,
        older="cursor" in request.query_params,
        upload=site.command("upload", "FOLDER"),
    )


ROUTES = [Route("/runs", runs)]
