"""The page that lists the runs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers import RunList
from ..rendering import page, site_of

SHOWN = 50


def runs(request: Request) -> Response:
    """The runs, newest first, a page at a time."""
    listed = site_of(request).api.get(RunList, "/runs", limit=SHOWN, cursor=request.query_params.get("cursor"))
    return page(request, "runs.html", listed=listed)


ROUTES = [Route("/runs", runs)]
