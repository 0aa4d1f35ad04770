"""Identifies a process reliably, though process ids are reused and clocks are set."""

from pathlib import Path

import psutil

PROC = Path("/proc")
START_TICKS = 22 - 3  # of /proc/PID/stat, counted from what follows the name in brackets


def process_identity(pid: int) -> str:
    """A text that identifies the process with this id, and no other process. Raises psutil.NoSuchProcess.

    With /proc it holds the boot id and the process's start in ticks since boot, which don't depend on the clock.
    """
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return f"{pid}:{boot}:{int(fields[START_TICKS])}"
    except (OSError, IndexError, ValueError):
        return f"{pid}:{psutil.Process(pid).create_time()!r}"


def is_there(identity: object) -> bool:
    """Whether the identified process still exists, running or as a zombie."""
    try:
        return process_identity(process_id(identity)) == identity
    except (psutil.Error, ValueError, OverflowError):
        return False


def is_alive(identity: object) -> bool:
    """Whether the identified process is still running."""
    try:
        return is_there(identity) and psutil.Process(process_id(identity)).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def process_id(identity: object) -> int:
    """The process id in an identity; 0 if it is malformed."""
    number = str(identity).partition(":")[0]
    return int(number) if number.isdecimal() else 0
