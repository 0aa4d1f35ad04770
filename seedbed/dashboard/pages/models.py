"""The page on the best model and those before it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers import ModelList
from ..rendering import page, site_of


def models(request: Request) -> Response:
    """The best model and its history."""
    found = site_of(request).api.get(ModelList, "/models", limit=20)
    return page(request, "models.html", models=found.models)


ROUTES = [Route("/models", models)]
