"""The page on what happens now."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers import RunList
from ..rendering import page, site_of


def now(request: Request) -> Response:
    """The run in progress, and what waits."""
    listed = site_of(request).api.get(RunList, "/runs", limit=1)
    return page(request, "now.html", listed=listed)


ROUTES = [Route("/", now)]
