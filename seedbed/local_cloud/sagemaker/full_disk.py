"""What a job's thread does about a full disk: it waits, and neither the job nor its last record is lost."""

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

LOOK_SECONDS = 0.25
TRIES = 3
PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


class Room:
    """One job's claim to room on the disk. `stop` ends every wait; `jobs` are this one and those that wait with it."""

    def __init__(self, disk: Disk, jobs: list[tuple[Kind, str]], stop: Stop) -> None:
        self._disk = disk
        self.job = jobs[0]
        self._jobs = jobs
        self.stop = stop
        self._tries = TRIES
        self._began = time.monotonic()

    def until_kept(self, write: Callable[[], Result]) -> Result:
        """The answer of a write to the records, tried until the disk takes it.

        Raises what stands in the way only where that does not pass, or where the endpoint shuts down.
        """
        try:
            return write()
        except sqlite3.OperationalError as error:
            if not passes(error) or self.stop.reason == "shutdown":
                raise
            log.warning("%s can't be recorded yet (%s); it is tried until it can", self.job[1], error)
        with self._disk.waited_for(self._jobs):
            while True:
                time.sleep(LOOK_SECONDS)
                try:
                    return write()
                except sqlite3.OperationalError as error:
                    if not passes(error) or self.stop.reason == "shutdown":
                        raise

    def again(self, work: Callable[[], Result]) -> Result:
        """The answer of `work`, which is repeated where it failed for want of room."""
        while True:
            self.begin()
            try:
                return work()
            except Exception:
                if not self.came_back():
                    raise

    def begin(self) -> None:
        """An attempt begins now."""
        self._began = time.monotonic()

    def came_back(self, clean_up: Callable[[], None] = lambda: None) -> bool:
        """Whether an attempt that failed should be repeated: the disk was short meanwhile, and has room now.

        Waits for that, once `clean_up` has taken away what the attempt left. Where that alone makes room the job may
        have filled the disk itself: it is repeated three times for that, and no more.
        """
        if self.stop.reason is not None or not self._tries or not self._disk.was_short(self._began):
            return False
        clean_up()
        if not self._disk.is_short():
            self._tries -= 1
            return True
        log.warning("%s waits for room on the disk", self.job[1])
        with self._disk.waited_for(self._jobs):
            while self._disk.is_short() and self.stop.reason is None:
                time.sleep(LOOK_SECONDS)
        return self.stop.reason is None


def passes(error: sqlite3.OperationalError) -> bool:
    """Whether the same write may succeed later."""
    return error.sqlite_errorcode & 0xFF in PASSING
