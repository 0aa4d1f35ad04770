"""What the system's errors mean to a person, each as a sentence that says what to do next."""

import errno
import os
from pathlib import Path

from ..errors import FULL, FULL_DISK
from .hints import HOME
from .text import printable

LITTLE = 2**20
ADVICE = {
    errno.EACCES: "may not be used by you: change its permissions, or choose another",
    errno.EPERM: "may not be used by you: change its permissions, or choose another",
    errno.EROFS: "is on a disk that can't be written to: choose another place",
    errno.ENOENT: "does not exist: check how it is spelt",
    errno.EISDIR: "is a folder: name a file",
    errno.ENOTDIR: "is not a folder, or lies below a file: choose another",
    errno.EEXIST: "exists already: choose another name",
    errno.ENAMETOOLONG: "has too long a name: choose a shorter one",
    errno.ELOOP: "is a link that leads to itself: choose another",
    errno.ENXIO: "can't be read or written: choose another",
}
WITHOUT_PATH = {
    errno.EMFILE: "Too many files are open at once: raise the limit with `ulimit -n 4096`, then run this again.",
    errno.ENFILE: "Too many files are open on this machine: close some programs, then run this again.",
    errno.ENOMEM: "There is too little memory: close some programs, then run this again.",
    errno.EAGAIN: "No further process can be started: close some programs, then run this again.",
    errno.EIO: "The disk or the terminal failed: check the disk, then run this again.",
}
NO_SCRATCH = "No folder for temporary files can be written to: make room in /tmp, or name another folder in TMPDIR."


def system_sentence(error: OSError) -> str:
    """What a person reads instead of an error of the operating system."""
    path = printable(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes | Path) else ""
    if error.errno in FULL:
        return full_sentence(path)
    if error.errno in WITHOUT_PATH:
        return WITHOUT_PATH[error.errno]
    if not path and "temporary directory" in str(error):
        return NO_SCRATCH
    reason = printable(error.strerror or str(error) or "no reason was given")
    if not path:
        return f"The system refused what was to be done: {reason}. Put that right, then run this again."
    return f"{path} {ADVICE[error.errno]}." if error.errno in ADVICE else f"{path} can't be used: {reason}."


def full_sentence(path: str = "") -> str:
    """The sentence about a full disk: that of a path, or else those that are full of the ones that commands use."""
    where = path or " and ".join(full_places()) or "the disk that is being written to"
    return FULL_DISK.format(where)


def full_places() -> list[str]:
    """The folders that commands write to whose disk is full."""
    places = [os.environ.get(HOME) or ".", os.environ.get("TMPDIR") or "/tmp"]  # noqa: S108  looked at, not used
    return [printable(place) for place in map(nearest, places) if room_at(place) < LITTLE]


def nearest(place: str) -> Path:
    """The folder, or the nearest one above it that exists."""
    path = Path(place).absolute()
    return next((folder for folder in (path, *path.parents) if folder.is_dir()), Path("/"))


def room_at(folder: Path) -> int:
    """How many bytes may still be written there."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize
