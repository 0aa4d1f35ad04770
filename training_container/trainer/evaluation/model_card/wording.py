"""Text from outside, made fit for a card."""

import re

from markupsafe import Markup

JOINERS = "\u200c\u200d"
"""Not printable, but letters of some scripts and emoji need them."""


def one_line(text: object, longest: int | None = None) -> str:
    """Printable and without line ends; cut to `longest` characters, the last of which then is an ellipsis."""
    printable = "".join(letter if letter.isprintable() or letter in JOINERS else " " for letter in str(text))
    line = " ".join(printable.split())
    return line if longest is None or len(line) <= longest else line[: longest - 1] + "…"


def in_markdown(value: object) -> object:
    """What Markdown shows letter by letter as the text of `value`; numbers and Markup as they are.

    All punctuation that could begin markup or a link is escaped, `:` and `.` among them for bare addresses.
    """
    if isinstance(value, int | float | Markup):
        return value
    return re.sub(r"([!\"#$&*+.:;<=>?@\[\\\]^_`{|}~])", r"\\\1", one_line(value))


def percent(share: float) -> Markup:
    """A share of 1 in percent, with one decimal."""
    return Markup(f"{100 * share:.1f} %")  # noqa: S704 - of digits alone


def short(value: float) -> Markup:
    """A number with two digits that count."""
    return Markup(f"{value:.2g}")  # noqa: S704 - of digits alone
