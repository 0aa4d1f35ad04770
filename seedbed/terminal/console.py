"""Where commands print: results to standard output, notes to standard error. Both print text as it is, never markup."""

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from .text import printable_lines

WIDTH = 140
"""In columns, of what is not a terminal: wide enough for all tables."""


class PlainConsole(Console):
    """A console for which text is text: no part of it is taken for markup, an emoji's name or a control character."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        width = None if stream and stream.isatty() else WIDTH
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it is. Rich calls this for each string, in tables too."""
        return super().render_str(printable_lines(text), **options)


def results() -> Console:
    """For what the command was asked for."""
    return PlainConsole()


def notes() -> Console:
    """For progress, hints and errors."""
    return PlainConsole(stderr=True)


def say(*sentences: str) -> None:
    """Print each sentence on a line of its own to standard error; only the terminal breaks lines."""
    for sentence in sentences:
        notes().print(sentence, soft_wrap=True)
