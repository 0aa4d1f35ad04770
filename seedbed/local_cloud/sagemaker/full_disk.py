"""How a job's thread survives a full disk: it waits for space and repeats what failed."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from .containers.process import Stop
from .disk import Disk
from .kinds import Kind

log = logging.getLogger(__name__)

Result = TypeVar("Result")

CHECK_SECONDS = 0.25
MAX_REPEATS = 3
TEMPORARY_ERRORS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


class DiskRetry:
    """Repeats what one job could not do because the disk was full.

    jobs: the job itself first, then those that wait with it. stop: ends every wait.
    """

    def __init__(self, disk: Disk, jobs: list[tuple[Kind, str]], stop: Stop) -> None:
        self._disk = disk
        self.job = jobs[0]
        self._jobs = jobs
        self.stop = stop
        self._repeats_left = MAX_REPEATS
        self._began = time.monotonic()

    def until_recorded(self, write: Callable[[], Result]) -> Result:
        """The result of a write to the records, which is repeated until it succeeds.

        Raises sqlite3.OperationalError if waiting can't help or the endpoint shuts down.
        """
        try:
            return write()
        except sqlite3.OperationalError as error:
            if not is_temporary(error) or self.stop.reason == "shutdown":
                raise
            log.warning("%s can't be recorded yet (%s); this is repeated until it can", self.job[1], error)
        with self._disk.mark_waiting(self._jobs):
            while True:
                time.sleep(CHECK_SECONDS)
                try:
                    return write()
                except sqlite3.OperationalError as error:
                    if not is_temporary(error) or self.stop.reason == "shutdown":
                        raise

    def until_done(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, which is repeated if it failed because the disk was full."""
        while True:
            self.begin_attempt()
            try:
                return work()
            except Exception:
                if not self.should_repeat():
                    raise

    def begin_attempt(self) -> None:
        """Notes when an attempt begins."""
        self._began = time.monotonic()

    def should_repeat(self, clean_up: Callable[[], None] = lambda: None) -> bool:
        """Whether a failed attempt should be repeated: the disk was short of space meanwhile, and no longer is.

        Calls `clean_up`, which removes what the attempt left, then waits for space. If cleaning up is enough, the job
        may have filled the disk itself, so that happens three times at most.
        """
        if self.stop.reason is not None or not self._repeats_left or not self._disk.was_short(self._began):
            return False
        clean_up()
        if not self._disk.is_short():
            self._repeats_left -= 1
            return True
        log.warning("%s waits for space on the disk", self.job[1])
        with self._disk.mark_waiting(self._jobs):
            while self._disk.is_short() and self.stop.reason is None:
                time.sleep(CHECK_SECONDS)
        return self.stop.reason is None


def is_temporary(error: sqlite3.OperationalError) -> bool:
    """Whether the same write may succeed later."""
    return error.sqlite_errorcode & 0xFF in TEMPORARY_ERRORS
