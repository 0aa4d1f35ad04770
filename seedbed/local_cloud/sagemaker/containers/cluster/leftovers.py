"""What a job leaves running: processes that have left its process group, but not its mount namespace."""

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

END_SECONDS = 10.0


def end_all(mount: int, maker: int, group: int) -> int:
    """Kills the processes in a mount namespace, an open file, until none is left, or for ten seconds.

    maker: the id of the process that makes namespaces, which may still be in this one. Returns how many were not in the
    process group.
    """
    until, others = time.monotonic() + END_SECONDS, set()
    while (left := _within(mount) - {maker}) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != group:
                    others.add(pid)
                os.kill(pid, signal.SIGKILL)
    return len(others)


def _within(mount: int) -> set[int]:
    """The ids of the processes in a mount namespace."""
    own, found = os.fstat(mount), set()
    for pid in psutil.pids():
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if os.path.samestat(own, Path(f"/proc/{pid}/ns/mnt").stat()):
                found.add(pid)
    return found
