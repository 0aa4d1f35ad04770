"""Text from outside, made safe for a card."""

import re

from markupsafe import Markup

from trainer.names import JOINERS


def one_line(text: object, longest: int | None = None) -> str:
    """The text in one printable line, cut to `longest` characters with an ellipsis at the end."""
    printable = "".join(letter if letter.isprintable() or letter in JOINERS else " " for letter in str(text))
    line = " ".join(printable.split())
    return line if longest is None or len(line) <= longest else line[: longest - 1] + "…"


def in_markdown(value: object) -> object:
    """Escapes a value so that Markdown shows its text literally; numbers and Markup stay unchanged.

    All punctuation that could begin markup or a link is escaped, also `:` and `.` because of bare addresses.
    """
    if isinstance(value, int | float | Markup):
        return value
    return re.sub(r"([!\"#$&*+.:;<=>?@\[\\\]^_`{|}~])", r"\\\1", one_line(value))


def percent(share: float) -> Markup:
    """A share from 0 to 1 as a percentage with one decimal."""
    return Markup(f"{100 * share:.1f}%")  # noqa: S704 - of digits alone


def short(value: float) -> Markup:
    """A number with two significant digits."""
    return Markup(f"{value:.2g}")  # noqa: S704 - of digits alone
