"""One command at a time uses a home: a lock that the kernel releases when its holders have ended."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import SeedbedError, unusable
from .folder import Home, belongs_to_user
from .mark import CHOOSE_ANOTHER, LOCK, check_is_home, read_mark, write_mark

UP = "A local cloud is already up for this folder. Stop it first (Ctrl-C where it runs)."
LOCK_TIMEOUT = 130.0  # longer than a local cloud may take to start
POLL_SECONDS = 0.05


class AlreadyUp(SeedbedError):
    """A local cloud serves the home already."""


@contextmanager
def hold(home: Home, kind: str = "own", seconds: float = LOCK_TIMEOUT) -> Iterator[int]:
    """Lock the home for the block. Yields the file descriptor, which a child process may inherit with the lock.

    A missing folder is created and marked with `kind`. Raises AlreadyUp while a local cloud serves the home, and
    SeedbedError if another command uses it for longer than `seconds`, or Seedbed may not use the folder.
    """
    with _explained(home):
        check_is_home(home.path)
        descriptor = _lock(home, time.monotonic() + seconds)
    try:
        make_home(home, kind)
        with _explained(home):
            keep_private(home.path)
        yield descriptor
    finally:
        os.close(descriptor)


def make_home(home: Home, kind: str = "own") -> None:
    """Create and mark the folder if necessary. Raises SeedbedError if Seedbed may not use it."""
    with _explained(home):
        check_is_home(home.path)
        _make_folder(home.path)
        if read_mark(home.path) is None:
            write_mark(home.path, kind)


@contextmanager
def _explained(home: Home) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(home.path, "can't be used", error, CHOOSE_ANOTHER) from error


def _lock(home: Home, deadline: float) -> int:
    while True:
        _make_folder(home.path)
        descriptor = os.open(home.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _try_lock(descriptor):
                if home.running():
                    raise AlreadyUp(UP)
                if time.monotonic() > deadline:
                    raise SeedbedError(f"Another command is using {home.path}. Run this again when it has ended.")
                time.sleep(POLL_SECONDS)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), (home.path / LOCK).stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_folder(path: Path) -> None:
    path.mkdir(0o700, parents=True, exist_ok=True)
    if not belongs_to_user(path):
        raise PermissionError(errno.EPERM, "it belongs to another user")


def keep_private(path: Path) -> None:
    """Make a home of an earlier release private. The folder itself comes last."""
    if not path.stat().st_mode & 0o077:
        return
    for folder, folders, files in os.walk(path):
        for entry in (Path(folder, name) for name in (*folders, *files)):
            with suppress(OSError):
                if not entry.is_symlink():
                    entry.chmod(entry.stat().st_mode & 0o700)
    path.chmod(path.stat().st_mode & 0o700)
