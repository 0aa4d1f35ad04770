"""Who a process is, for as long as the machine is up: a process id is given to others later, and clocks are set."""

from pathlib import Path

import psutil

PROC = Path("/proc")
START_TICKS = 22 - 3  # of /proc/PID/stat, counted from what follows the name in brackets


def process_identity(pid: int) -> str:
    """Names the process that has this id now and no other, before or after. Raises psutil.NoSuchProcess.

    Where there is /proc, by the machine's start and the ticks since then at the process's own: no clock moves either.
    """
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return f"{pid}:{boot}:{int(fields[START_TICKS])}"
    except (OSError, IndexError, ValueError):
        return f"{pid}:{psutil.Process(pid).create_time()!r}"


def is_there(identity: object) -> bool:
    """Whether the process that `process_identity` named has its id still, be it that it ended and awaits its parent."""
    try:
        return process_identity(process_id(identity)) == identity
    except (psutil.Error, ValueError, OverflowError):
        return False


def is_alive(identity: object) -> bool:
    """Whether the process that `process_identity` named has not ended."""
    try:
        return is_there(identity) and psutil.Process(process_id(identity)).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def process_id(identity: object) -> int:
    """The process id in an identity; 0, which no such process has, for what is not one."""
    number = str(identity).partition(":")[0]
    return int(number) if number.isdecimal() else 0
