"""What a person can have done with a run: stop it, or give its images another attempt."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..api import segment
from ..rendering import is_part, page, site_of


def stop(request: Request) -> Response:
    """Stop a run in progress."""
    return done(request, "stop")


def retry(request: Request) -> Response:
    """Give the images of a run that failed or was stopped another attempt."""
    return done(request, "retry")


def done(request: Request, action: str) -> Response:
    """Ask the API to do it, and show what it says."""
    said = site_of(request).api.post(f"/runs/{segment(request.path_params['run_id'])}/{action}")
    return page(request, "done_part.html" if is_part(request) else "done.html", message=str(said.get("message", "")))


ROUTES = [
    Route("/runs/{run_id}/stop", stop, methods=["POST"]),
    Route("/runs/{run_id}/retry", retry, methods=["POST"]),
]
