"""A small disk of a test's own, which it may fill."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PIECE = 2**20
BALLAST = "ballast"


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A tmpfs of that size, mounted at the folder for a while; the test is skipped where none can be."""
    folder.mkdir(parents=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk that is filled here")
    options = f"size={mebibytes}m,mode=0700"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def filled(folder: Path, left: int = 0, *, again: bool = False) -> Iterator[None]:
    """A disk with no more than `left` bytes free when the block begins; with `again`, as long as it runs."""
    ballast, over = folder / BALLAST, threading.Event()
    fill(ballast, left)
    keeping = threading.Thread(target=keep_filled, args=(ballast, left, over))
    if again:
        keeping.start()
    try:
        yield
    finally:
        over.set()
        if again:
            keeping.join()
        ballast.unlink()


def keep_filled(ballast: Path, left: int, over: threading.Event) -> None:
    """Fill what is given back, until it is over."""
    while not over.wait(0.01):
        fill(ballast, left)


def fill(ballast: Path, left: int = 0) -> None:
    """Write the file until so many bytes are free."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while (room := free(ballast.parent) - left) > 0:
            file.write(bytes(min(PIECE, room)))


def free(folder: Path) -> int:
    """Bytes that may still be written there."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize
