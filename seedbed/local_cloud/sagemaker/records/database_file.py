"""The database file: checked before it is opened, copied now and then, and replaced by its copy if damaged."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ..kinds import ENDED, JOBS

log = logging.getLogger(__name__)

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
NEEDS_WRITING = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
UNREADABLE = "SELECT COUNT(*) FROM jobs WHERE NOT json_valid(body) OR NOT json_valid(private)"


def copy_of(path: Path) -> Path:
    """Where the latest copy of the records is kept."""
    return path.with_name(f"{path.name}.copy")


def repair(path: Path) -> list[str]:
    """Makes sure that the records can be opened; returns sentences for a person about what was wrong.

    A damaged file is moved aside and replaced by the latest copy, without the jobs that were in progress: they may have
    ended since, and running them again could overwrite their results. Raises sqlite3.OperationalError if the disk is
    the cause.
    """
    copy = copy_of(path)
    if not path.exists() and not copy.exists():
        return []
    fault = _fault_without_writing(path) if path.exists() else "the file is gone"
    if not fault:
        return []
    aside = move_aside(path)
    said = f"The records of jobs in {path} can't be read: {fault}."
    said += f" They are now {aside.name} beside it." if aside else ""
    if copy.exists() and not fault_of(copy):
        taken = datetime.fromtimestamp(copy.stat().st_mtime).astimezone()
        restore_copy(copy, path)
        return [f"{said} Their copy of {taken:%Y-%m-%d %H:%M} has taken their place."]
    return [f"{said} There is no copy: runs that ended come back from the bucket, other jobs are forgotten."]


def _fault_without_writing(path: Path) -> str:
    """As `fault_of`, but the write-ahead log stays: on a full disk there may be no space for a new one."""
    try:
        return fault_of(path, "ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in NEEDS_WRITING:
            return fault_of(path)
        raise


def fault_of(path: Path, mode: str = "rw") -> str:
    """What is wrong with an existing file of records; empty if nothing is."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as db:
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


def move_aside(path: Path) -> Path | None:
    """Renames the damaged file and its write-ahead log; returns its new name, or None if there is no file."""
    stamp = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    for ending in ("-wal", "-shm", ""):
        with_ending = path.with_name(path.name + ending)
        if with_ending.exists():
            with_ending.replace(path.with_name(f"{path.name}.damaged-{stamp}{ending}"))
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    return aside if aside.exists() else None


def restore_copy(copy: Path, path: Path) -> None:
    """Replaces the records by their copy, less the jobs in progress."""
    partial = path.with_name(f"{path.name}.partial")
    shutil.copyfile(copy, partial)
    with closing(sqlite3.connect(partial, isolation_level=None)) as db:
        unfinished = f"kind IN {tuple(kind.name for kind in JOBS)} AND status NOT IN {ENDED}"
        db.execute(f"DELETE FROM jobs WHERE parent IN (SELECT key FROM jobs WHERE {unfinished})")  # noqa: S608
        db.execute(f"DELETE FROM jobs WHERE {unfinished}")  # noqa: S608
        db.execute("DELETE FROM tags WHERE arn NOT IN (SELECT arn FROM jobs)")
        db.execute("DELETE FROM outbox")
    partial.replace(path)


class Copies:
    """Keeps a consistent copy of the records; neither copying nor writing waits for the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copied_at = -1

    def take(self, changes: int) -> None:
        """Copies the records if there were changes since the last time; `changes` counts all of them."""
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
            log.warning("The records of jobs could not be copied; this is repeated: %s", error)
            partial.unlink(missing_ok=True)
