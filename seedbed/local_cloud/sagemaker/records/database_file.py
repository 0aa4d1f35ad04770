"""The file of the jobs' records: checked before it is opened, copied now and then, and its copy put in its place."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ..kinds import ENDED

log = logging.getLogger(__name__)

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
UNREADABLE = "SELECT COUNT(*) FROM jobs WHERE NOT json_valid(body) OR NOT json_valid(private)"


def copy_of(path: Path) -> Path:
    """Where the latest copy of the records is kept."""
    return path.with_name(f"{path.name}.copy")


def mended(path: Path) -> list[str]:
    """Make sure that the records can be opened; a sentence for each thing that a person should know of it.

    Damaged ones are moved aside. The latest copy takes their place, less what was in progress: nobody knows how that
    went on, and it might be written over what came of it. Raises sqlite3.OperationalError where the disk is at fault.
    """
    copy = copy_of(path)
    if not path.exists() and not copy.exists():
        return []
    fault = fault_of(path) if path.exists() else "the file is gone"
    if not fault:
        return []
    aside = moved_aside(path)
    said = f"The records of jobs in {path} can't be read: {fault}."
    said += f" They are now {aside.name} beside it." if aside else ""
    if copy.exists() and not fault_of(copy):
        taken = datetime.fromtimestamp(copy.stat().st_mtime).astimezone()
        put_in_place(copy, path)
        return [f"{said} Their copy of {taken:%Y-%m-%d %H:%M} has taken their place."]
    return [f"{said} There is no copy: runs that ended come back from the bucket, other jobs are forgotten."]


def fault_of(path: Path) -> str:
    """What is wrong with the records in an existing file; empty if nothing is."""
    try:
        with closing(sqlite3.connect(path)) as db:
            (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                return str(verdict).splitlines()[-1]
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
                return "the file is empty"
            (unreadable,) = db.execute(UNREADABLE).fetchone()
            return f"{unreadable} of its jobs are not JSON" if unreadable else ""
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in DAMAGED:
            return str(error)
        raise


def moved_aside(path: Path) -> Path | None:
    """The new name of the damaged file, with its log of changes; None where there was none."""
    stamp = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    for ending in ("-wal", "-shm", ""):
        with_ending = path.with_name(path.name + ending)
        if with_ending.exists():
            with_ending.replace(path.with_name(f"{path.name}.damaged-{stamp}{ending}"))
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    return aside if aside.exists() else None


def put_in_place(copy: Path, path: Path) -> None:
    """Have the copy, which stays, be the records."""
    partial = path.with_name(f"{path.name}.partial")
    shutil.copyfile(copy, partial)
    with closing(sqlite3.connect(partial, isolation_level=None)) as db:
        unfinished = f"status NOT IN {ENDED}"
        db.execute(f"DELETE FROM jobs WHERE parent IN (SELECT key FROM jobs WHERE {unfinished})")  # noqa: S608
        db.execute(f"DELETE FROM jobs WHERE {unfinished}")  # noqa: S608
        db.execute("DELETE FROM tags WHERE arn NOT IN (SELECT arn FROM jobs)")
        db.execute("DELETE FROM outbox")
    partial.replace(path)


class Copies:
    """Keeps a consistent copy of the records up to date; it never waits for a writer, nor has one wait."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copied_at = -1

    def take(self, changes: int) -> None:
        """Copy, if there were changes since the last time; `changes` counts them all."""
        if changes == self._copied_at:
            return
        partial = self._path.with_name(f"{self._path.name}.copying")
        try:
            partial.unlink(missing_ok=True)
            with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(partial)) as target:
                source.backup(target)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(copy_of(self._path))
            self._copied_at = changes
        except (OSError, sqlite3.Error) as error:
            log.warning("The records of jobs could not be copied; that is tried again: %s", error)
            partial.unlink(missing_ok=True)
