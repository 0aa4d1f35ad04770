"""The demo's own home, beside the user's. The next demo clears it, but never deletes images that a user added."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from ...errors import SeedbedError
from .folder import Home
from .lock import hold
from .mark import LOCK, MARK, read_mark, uploaded_keys, write_mark

SUFFIX = "-demo"
KEPT = "{} has become a home of your own, so the demo does not clear it. Move it elsewhere, then run this again."


def demo_home(own: Home) -> Home:
    """The demo's home for a user with this home."""
    mark = read_mark(own.path)
    if mark and mark.kind == "demo":
        return own
    return Home(own.path.with_name(own.path.name + SUFFIX))


def home_to_query(own: Home) -> Home:
    """The home that commands query: the user's, or the demo's while the user's is unused."""
    demo = demo_home(own)
    return demo if demo.was_used and not own.was_used else own


def keep(home: Home) -> None:
    """Mark a home as the user's own, which no demo clears."""
    mark = read_mark(home.path)
    if mark and mark.kind == "demo":
        write_mark(home.path, "own")


@contextmanager
def hold_for_demo(home: Home) -> Iterator[tuple[int, Path | None]]:
    """Lock the demo's home for the block, and clear it. Yields the lock, and where an earlier state was moved.

    What an earlier demo left is deleted, or moved if it holds images that the demo did not draw. Raises SeedbedError if
    the home is a user's own, and what `hold` raises.
    """
    moved_to = None
    with ExitStack() as held:
        lock = held.enter_context(hold(home, "demo"))
        while _has_user_images(home):
            moved_to = _move_away(home.path)
            held.close()
            lock = held.enter_context(hold(home, "demo"))
        _clear(home)
        write_mark(home.path, "demo")
        yield lock, moved_to


def _has_user_images(home: Home) -> bool:
    mark = read_mark(home.path)
    return bool(mark and mark.kind == "demo" and uploaded_keys(home.path) - set(mark.drawn))


def _clear(home: Home) -> None:
    """Delete all but the lock and the mark. Raises SeedbedError if the mark is not a demo's."""
    mark = read_mark(home.path)
    entries = [entry for entry in home.path.iterdir() if entry.name not in {LOCK, MARK}]
    if entries and not (mark and mark.kind == "demo"):
        raise SeedbedError(KEPT.format(home.path))
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _move_away(folder: Path) -> Path:
    moved_to = folder.with_name(f"{folder.name}-{datetime.now().astimezone():%Y-%m-%d-%H%M%S}")
    try:
        return folder.rename(moved_to)
    except OSError as error:
        raise SeedbedError(f"{folder} can't be moved to {moved_to}: {error.strerror}. Move it yourself.") from error
