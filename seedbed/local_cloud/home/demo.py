"""The demo's own home, beside the person's: cleared by the next demo, and never a place for what people put in."""

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
KEPT = "{} has become a home of your own, so the demo leaves it alone. Move it elsewhere, and try again."


def demo_home(own: Home) -> Home:
    """Where the demo of somebody with this home keeps its state."""
    mark = read_mark(own.path)
    if mark and mark.kind == "demo":
        return own
    return Home(own.path.with_name(own.path.name + SUFFIX))


def home_to_query(own: Home) -> Home:
    """The home that questions are put to: the person's own, or the demo's as long as nothing is in that."""
    demo = demo_home(own)
    return demo if demo.was_used and not own.was_used else own


def keep(home: Home) -> None:
    """A person's own work is in this home from now on: no demo clears it any more."""
    mark = read_mark(home.path)
    if mark and mark.kind == "demo":
        write_mark(home.path, "own")


@contextmanager
def hold_for_demo(home: Home) -> Iterator[tuple[int, Path | None]]:
    """The demo's home, empty, for as long as the block runs: its lock, and where an earlier demo's state was moved.

    What an earlier demo left is deleted, but moved aside if there are images in it that the demo did not draw. Raises
    SeedbedError where a person's own work is, and what `hold` raises.
    """
    aside = None
    with ExitStack() as held:
        lock = held.enter_context(hold(home, "demo"))
        while _holds_images_of_a_person(home):
            aside = _move_aside(home.path)
            held.close()
            lock = held.enter_context(hold(home, "demo"))
        _clear(home)
        write_mark(home.path, "demo")
        yield lock, aside


def _holds_images_of_a_person(home: Home) -> bool:
    mark = read_mark(home.path)
    return bool(mark and mark.kind == "demo" and uploaded_keys(home.path) - set(mark.drawn))


def _clear(home: Home) -> None:
    """Deletes all but the lock and the mark. Raises SeedbedError where the mark is not a demo's."""
    mark = read_mark(home.path)
    entries = [entry for entry in home.path.iterdir() if entry.name not in {LOCK, MARK}]
    if entries and not (mark and mark.kind == "demo"):
        raise SeedbedError(KEPT.format(home.path))
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _move_aside(folder: Path) -> Path:
    aside = folder.with_name(f"{folder.name}-{datetime.now().astimezone():%Y-%m-%d-%H%M%S}")
    try:
        return folder.rename(aside)
    except OSError as error:
        raise SeedbedError(f"{folder} can't be moved to {aside}: {error.strerror}. Move it, and try again.") from error
