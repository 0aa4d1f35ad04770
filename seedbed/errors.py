"""The error that a person reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ELSEWHERE = "Choose another place, or make room on its disk."


class SeedbedError(Exception):
    """A command can't do what it was asked to. The text says why, and what to do next."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises SeedbedError if the block, which writes to `path`, fails with an OSError."""
    try:
        yield
    except OSError as error:
        raise SeedbedError(f"{path} can't be written: {error.strerror}. {ELSEWHERE}") from error


def check_writable(path: Path) -> None:
    """Raises SeedbedError if a file at `path` can't be made or written over."""
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise SeedbedError(f"{path} can't be written. {ELSEWHERE}")
