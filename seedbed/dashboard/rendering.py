"""Templates rendered into answers, with what every page has: where it asks, its navigation, its token."""

from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ..terminal.hints import seedbed
from . import words
from .api import Api, ApiError
from .curves import Curves
from .guard import Keys
from .pictures import Pictures

TEMPLATES = Path(__file__).with_name("templates")
NAVIGATION = (("/", "Now"), ("/models", "Best model"), ("/runs", "Runs"), ("/datasets", "Dataset"))
TRY_AGAIN_SECONDS = 3


@dataclass(frozen=True)
class Site:
    """What every page needs. `aws` is the name of the stack on AWS, empty for this machine's local cloud.

    `home` is that of the local cloud, where a command that does not name it would ask another one.
    """

    api: Api
    keys: Keys
    pictures: Pictures
    aws: str = ""
    home: Path | None = None
    curves: Curves = field(default_factory=Curves)

    def command(self, *words: str) -> str:
        """A command to type that asks the same stack."""
        return seedbed(*words, aws=self.aws, home=None if self.aws else self.home)

    @property
    def poll_seconds(self) -> int:
        """How often a page that shows a run in progress asks again: on AWS each request costs something."""
        return 5 if self.aws else 2


def environment() -> jinja2.Environment:
    """The templates: everything in them is escaped, and a name that is missing is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {name: getattr(words, name) for name in words.FILTERS}
    return made


TEMPLATE = environment()


def site_of(request: Request) -> Site:
    """What the page of this request needs."""
    site: Site = request.app.state.site
    return site


def page(request: Request, template: str, status: int = HTTPStatus.OK, **context: Any) -> Response:
    """A template as an answer. Its context has `site`, `path` and `navigation` besides what is given."""
    site = site_of(request)
    text = TEMPLATE.get_template(template).render(
        site=site, token=site.keys.token, path=request.url.path, navigation=NAVIGATION, **context
    )
    return HTMLResponse(text, status)


def is_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page at this address, to put it in the place of an element of its own.

    A whole page is asked for with the element `content` as its target.
    """
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") != "content"


def failed(request: Request, error: Exception) -> Response:
    """The page that says why the API did not do as asked; it loads itself again where nothing answered."""
    assert isinstance(error, ApiError)
    again = TRY_AGAIN_SECONDS if error.is_away and request.method == "GET" else 0
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    template = "error_part.html" if is_part(request) else "error.html"
    return page(request, template, error.status, message=str(error), again=again, where=where)
