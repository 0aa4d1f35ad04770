"""How values stand in the tables."""

from ...terminal.text import printable


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal, empty for None."""
    return "" if share is None else f"{share:.1%}"


def number(text: str) -> str:
    """A hyperparameter's value in three significant digits, or as it is if it is not a number."""
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return printable(text)


def minute(at: str | None) -> str:
    """A time of the API's to the minute, in UTC; empty for None."""
    return "" if at is None else at[:16].replace("T", " ")
