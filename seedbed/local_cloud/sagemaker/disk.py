"""How much space is left on the disk that holds all data, and which jobs wait for more."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .kinds import ENDED, Body, Kind

LARGEST_FLOOR = 256 * 2**20
SHARE = 20
MIB = 2**20
RECENT_SECONDS = 10.0


class Disk:
    """The file system of a folder that exists.

    The disk is short of space when fewer than `floor` bytes are free (a twentieth of the disk, 256 MiB at most), and
    stays so until a quarter more than that is free. Large writes stop at the floor; the rest is for records and mail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._short = False
        self._last_short = float("-inf")
        self._waiting: Counter[tuple[Kind, str]] = Counter()
        size = os.statvfs(folder)
        self.floor = min(LARGEST_FLOOR, size.f_blocks * size.f_frsize // SHARE)

    def free(self) -> int:
        """How many bytes this user can still write."""
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize

    def is_short(self) -> bool:
        """Whether the disk has too little space now."""
        free = self.free()
        with self._lock:
            self._short = free < (self.floor + self.floor // 4 if self._short else self.floor)
            if self._short:
                self._last_short = time.monotonic()
            return self._short

    def was_short(self, since: float) -> bool:
        """Whether the disk is short of space or was found so after `since`, a time of `time.monotonic`."""
        return self.is_short() or self._last_short >= since

    def sentence(self) -> str:
        """What is wrong and what to do: there is too little space, or the folder can't be written to."""
        if not self.was_short(time.monotonic() - RECENT_SECONDS):
            return f"{self._folder} can't be written to. See to its permissions; everything continues by itself then."
        return (
            f"The disk that holds {self._folder} has less than {self.floor / MIB:,.0f} MiB free."
            " Make room on it; everything continues by itself then."
        )

    def no_room_for(self, size: int) -> str:
        """What is wrong and what to do about an object of `size` bytes that doesn't fit."""
        if self.is_short():
            return self.sentence()
        return (
            f"The disk that holds {self._folder} has too little room for {size / MIB:,.1f} MiB:"
            f" {self.floor / MIB:,.0f} MiB of it must stay free. Make room on it, then upload this again."
        )

    @contextmanager
    def mark_waiting(self, jobs: list[tuple[Kind, str]]) -> Iterator[None]:
        """Marks these jobs as waiting for space while the block runs."""
        keys = [(kind, name.lower()) for kind, name in jobs]
        with self._lock:
            self._waiting.update(keys)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.subtract(keys)
                self._waiting = +self._waiting

    def waiting(self) -> list[str]:
        """The names of the jobs that wait for space now."""
        with self._lock:
            return sorted(name for _, name in self._waiting)

    def with_waiting_reason(self, kind: Kind, body: Body) -> Body:
        """A job's description; while it waits for space, its FailureReason says so."""
        with self._lock:
            waits = (kind, body[kind.name_field].lower()) in self._waiting and body[kind.status_field] not in ENDED
        return {**body, "FailureReason": f"It waits: {self.sentence()}"} if waits else body
