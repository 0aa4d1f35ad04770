"""Text from elsewhere, such as a path, a label or a reason, made safe to print."""

import unicodedata
from collections.abc import Sequence

JOINERS = {"\u200c", "\u200d"}
"""Persian, Hindi and many emoji are spelt with them."""


def printable(text: object) -> str:
    """The text on one line, with a question mark for any character that could control a terminal or mail program."""
    return "".join(_shown(character) for character in str(text))


def printable_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def listed(names: Sequence[object], most: int) -> str:
    """The first names, separated by commas, and how many more there are."""
    shown = ", ".join(map(printable, names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def counted(count: int, thing: str) -> str:
    """A number of things, such as 1 label or 1,000 labels."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _shown(character: str) -> str:
    if character.isprintable() or character in JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else "?"
