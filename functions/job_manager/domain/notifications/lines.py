"""How lines and sections are made."""

import shlex
from collections.abc import Iterable, Iterator

from .notification import Form, Line, Section


def fact(name: str, text: str) -> Line:
    return Line(Form.FACT, text, name)


def item(text: str) -> Line:
    return Line(Form.ITEM, text)


def said(text: str) -> Line:
    return Line(Form.SENTENCE, text)


def address(uri: str) -> Line:
    return Line(Form.ADDRESS, uri)


def command(stack: str, *arguments: str) -> Line:
    """What to type into a shell, safe for one whatever the arguments are."""
    words = ("seedbed", *arguments, "--aws", stack)
    return Line(Form.COMMAND, shlex.join(words), arguments=arguments)


def sections(titled: Iterable[tuple[str, Iterable[Line]]]) -> Iterator[Section]:
    """The sections that have lines."""
    for title, lines in titled:
        kept = tuple(lines)
        if kept:
            yield Section(title, kept)
