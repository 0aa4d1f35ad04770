"""The error that a person reads."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ELSEWHERE = "Choose another place."
FULL = {errno.ENOSPC, errno.EDQUOT}
FULL_DISK = "The disk is full. Make room at {}, then run this again."


class SeedbedError(Exception):
    """A command can't do what it was asked to. The text says why, and what to do next."""


class WrongUse(SeedbedError):
    """A command was given in a wrong way."""


class NoModel(SeedbedError):
    """The run that a command waited for has ended without a model."""


class AlreadyPrinted(SeedbedError):
    """What went wrong was printed by a child process, in a sentence of its own."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises SeedbedError if the block, which writes to `path`, fails with an OSError."""
    try:
        yield
    except OSError as error:
        raise unusable(path, "can't be written", error, ELSEWHERE) from error


def unusable(path: Path, what: str, error: OSError, advice: str) -> SeedbedError:
    """The error about a path that the system refuses: `what` is wrong with it, and `advice` unless the disk is full."""
    return SeedbedError(FULL_DISK.format(path) if error.errno in FULL else f"{path} {what}: {error.strerror}. {advice}")


def check_writable(path: Path) -> None:
    """Raises SeedbedError if a file at `path` can't be made or written over."""
    folder = path.absolute().parent
    if path.is_dir():
        raise SeedbedError(f"{path} is a folder. Name a file in it.")
    if not folder.is_dir():
        raise SeedbedError(f"{path} can't be written: its folder does not exist. Make it first, or choose another.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SeedbedError(f"{path} can't be written. {ELSEWHERE}")
