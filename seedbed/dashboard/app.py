"""The page as an application: the routes of all pages behind the guard."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from . import pictures
from .api import ApiError
from .guard import Guard
from .pages import actions, compare, dataset, files, models, now, predictions, run, runs
from .rendering import Site, failed, page

STATIC = Path(__file__).with_name("static")
PAGES = (now, models, runs, run, compare, dataset, predictions, actions, files)
NOTHING = "There is no such page. The navigation above leads to those that there are."


def build(site: Site) -> Starlette:
    """The application that shows what the site's API answers."""
    routes = [
        *(route for each in PAGES for route in each.ROUTES),
        Route(pictures.PATH, site.pictures.show),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, keys=site.keys)],
        exception_handlers={ApiError: failed, 404: not_found},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    return app


def not_found(request: Request, _: Exception) -> Response:
    """The page for an address that leads nowhere."""
    return page(request, "error.html", 404, message=NOTHING, again=0, where="")
