"""An e-mail as HTML: tables and inline styles, which mail programs show; a style sheet adds dark mode."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ...terminal.text import printable
from .notification import Notification
from .run_files import RunFiles

TONES = {"first_model": "good", "new_best": "good", "no_model": "bad"}
NAMES = {
    "first_model": "First model",
    "new_best": "New best model",
    "not_better": "No better model",
    "failed": "Failed",
    "stopped": "Stopped",
    "refused": "Refused",
    "started": "Started",
    "waiting": "Waiting",
}


def page_of(notification: Notification, files: RunFiles, picture: str) -> str:
    """The page about a run; `picture` is the content ID of the dataset's picture, which is shown if there is one."""
    return _template().render(
        notification=notification,
        files=files,
        picture=picture,
        tone=TONES.get(notification.outcome, "calm"),
        badge=NAMES.get(notification.outcome) or NAMES.get(notification.kind, notification.kind),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "points": _points, "shown": printable}
    return environment.get_template("mail.html")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points"
