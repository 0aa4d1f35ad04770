"""The page that lists the runs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...terminal.hints import seedbed
from ..answers import RunList
from ..rendering import page, site_of
from ..views import runs as view

SHOWN = 50


def runs(request: Request) -> Response:
    """The runs, newest first, a page at a time."""
    site = site_of(request)
    listed = site.api.get(RunList, "/runs", limit=SHOWN, cursor=request.query_params.get("cursor"))
    return page(
        request,
        "runs.html",
        runs=view.rows(listed.runs),
        next=listed.next,
        older="cursor" in request.query_params,
        upload=seedbed("upload", "FOLDER", aws=site.aws),
    )


ROUTES = [Route("/runs", runs)]
