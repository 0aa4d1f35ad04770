"""Checks of this machine: Python, disk, memory, the home and the port."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from ..errors import SeedbedError, check_writable
from ..extras import own_version
from ..local_cloud.home.folder import Home
from ..local_cloud.home.mark import MARK, check_is_home
from ..local_cloud.process import check_port
from ..platforms import obstacle
from ..terminal.hints import seedbed
from ..terminal.text import printable
from .finding import Finding, failed, ok, warning

GB = 10**9
NO_ROOM, LITTLE_ROOM = 0.3 * GB, 2 * GB
"""Below the first the local cloud takes no uploads; a run of some thousand images needs about the second."""
LITTLE_MEMORY = 2 * GB
"""The local cloud takes 0.6 GB, and so does each of a few training jobs."""
PORT = 4566


def python() -> Iterator[Finding]:
    """Whether this Python is one that Seedbed runs on."""
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, Seedbed {own_version()}."
    yield failed("Python", obstacle()) if obstacle() else ok("Python", found)


def disk(home: Home) -> Iterator[Finding]:
    """Whether there is room for the home, and for temporary files."""
    places = {existing(home.path), Path(tempfile.gettempdir())}
    for device in {place.stat().st_dev: place for place in sorted(places)}.values():
        free = shutil.disk_usage(device).free
        sentence = f"{free / GB:,.1f} GB are free at {printable(device)}."
        if free < NO_ROOM:
            yield failed("Disk", sentence, f"Make room: a run of some thousand images needs {LITTLE_ROOM / GB:.0f} GB.")
        elif free < LITTLE_ROOM:
            yield warning("Disk", sentence, f"A run of some thousand images needs {LITTLE_ROOM / GB:.0f} GB.")
        else:
            yield ok("Disk", sentence)


def memory() -> Iterator[Finding]:
    """Whether there is memory for the local cloud and its jobs."""
    found = psutil.virtual_memory()
    sentence = f"{found.available / GB:.1f} of {found.total / GB:.1f} GB are free, for {os.cpu_count()} processors."
    if found.available < LITTLE_MEMORY:
        yield warning("Memory", sentence, "Close some programs, or a job may be ended for lack of memory.")
    else:
        yield ok("Memory", sentence)


def home_folder(home: Home) -> Iterator[Finding]:
    """Whether the home is Seedbed's, and can be written to."""
    path = printable(home.path)
    try:
        check_is_home(home.path)
        check_writable(home.path / MARK if home.path.exists() else lowest(home.path) / "x")
    except SeedbedError as error:
        yield failed("Home", str(error))
        return
    if home.running():
        yield ok("Home", f"The local cloud is running for {path}.")
    else:
        yield ok("Home", f"{path}, {'which a local cloud has used' if home.was_used else 'not used yet'}.")


def port(home: Home) -> Iterator[Finding]:
    """Whether the local cloud's usual port is free."""
    running = home.running()
    if running and running["endpoint"].endswith(f":{PORT}"):
        yield ok("Port", f"{PORT} is the running local cloud's.")
        return
    try:
        check_port(PORT)
    except SeedbedError:
        yield warning("Port", f"{PORT} is in use by another program.", f"Take another: {seedbed('up --port 0')}")
    else:
        yield ok("Port", f"{PORT} on 127.0.0.1 is free.")


def existing(path: Path) -> Path:
    """The nearest folder at or above the path."""
    found = lowest(path)
    return found if found.is_dir() else found.parent


def lowest(path: Path) -> Path:
    """The path, or the nearest above it that exists."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
