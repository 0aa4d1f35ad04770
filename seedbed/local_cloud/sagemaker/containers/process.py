"""One job's process: started in a group of its own, watched, stopped, and its output read line by line."""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from ...process_identity import is_there, process_id, process_identity
from .guard import Guard

log = logging.getLogger(__name__)

LINE_BYTES = 16_384
LOG_BYTES = 64 * 2**20
DRAIN_SECONDS = 5.0
SHUTDOWN_GRACE = 3.0
RANKS = {"interrupted": 0, "early": 1, "stopped": 1, "shutdown": 2}

Process = subprocess.Popen[bytes]


class Stop:
    """A wish that a job end, and why. A reason gives way only to one that outranks it."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._call: Callable[[], None] = lambda: None

    def when_asked(self, call: Callable[[], None]) -> None:
        """Has `call` called with every wish from now on, and at once if there was one."""
        self._call = call
        if self.reason is not None:
            call()

    def ask(self, reason: str) -> None:
        """`interrupted` as a Spot instance is, `stopped` by a caller, `early` by early stopping, `shutdown`."""
        with self._lock:
            if self.reason is None or RANKS[reason] > RANKS[self.reason]:
                self.reason = reason
        self._call()

    def forget_interruption(self) -> None:
        """The job may run again, unless something else has asked it to end."""
        with self._lock:
            if self.reason == "interrupted":
                self.reason = None
            self._call = lambda: None

    def wait(self, seconds: float) -> None:
        """Returns after the time given, or as soon as there is a reason to end."""
        asked = threading.Event()
        self.when_asked(asked.set)
        asked.wait(max(0.0, seconds))


@dataclass(frozen=True)
class Launch:
    """What to run, for how many seconds at most, and where what it says is kept.

    clean_up: what takes away all that is left of it, once it has ended or must.
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log_path: Path
    seconds: float
    clean_up: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit status, and why it was told to end (`timeout` or a Stop's reason), if it was."""

    exit_code: int
    ended_by: str | None


class Runner:
    """Runs jobs' processes. `grace` is the seconds from SIGTERM to SIGKILL."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._guard = Guard()

    def close(self) -> None:
        self._guard.close()

    def run(self, launch: Launch, stop: Stop, started: Callable[[str], None], heard: Callable[[str], None]) -> Outcome:
        """Blocks until the process has ended; it is told to when its time is up or `stop` asks.

        started: gets the process's identity, to find it again after a crash of the endpoint.
        heard: gets every line of its output, standard error included. Raises OSError where it can't be started.
        """
        launch.log_path.parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            launch.command,
            cwd=launch.folder,
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._guard.watch(process.pid)
            with contextlib.suppress(psutil.Error):
                started(process_identity(process.pid))
            assert process.stdout is not None
            reader = threading.Thread(target=_read, args=(process.stdout, launch.log_path, heard), daemon=True)
            reader.start()
            outcome = self._wait(process, stop, launch.seconds)
        finally:
            kill_group(process.pid)
            launch.clean_up()
            self._guard.release(process.pid)
        reader.join(DRAIN_SECONDS)
        return outcome

    def _wait(self, process: Process, stop: Stop, seconds: float) -> Outcome:
        ended, woken = threading.Event(), threading.Event()

        def wait() -> None:
            process.wait()
            ended.set()
            woken.set()

        threading.Thread(target=wait, daemon=True).start()
        stop.when_asked(woken.set)
        woken.wait(max(0.0, seconds))
        if ended.is_set():
            return Outcome(process.returncode, None if stop.reason == "interrupted" else stop.reason)
        reason = stop.reason or "timeout"
        self._end(process, ended, stop)
        return Outcome(process.wait(), reason)

    def _end(self, process: Process, ended: threading.Event, stop: Stop) -> None:
        """SIGTERM to the process alone, as a container's first one gets it; after the grace SIGKILL to its group."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        while not ended.wait(0.05):
            grace = min(self._grace, SHUTDOWN_GRACE) if stop.reason == "shutdown" else self._grace
            if time.monotonic() - asked >= grace:
                kill_group(process.pid)
                ended.wait()


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_leftover(identity: object) -> None:
    """Kills the group of a process that outlived the endpoint, if it is still the one that was recorded."""
    if is_there(identity):
        kill_group(process_id(identity))


def _read(output: IO[bytes], log_path: Path, heard: Callable[[str], None]) -> None:
    """Takes in all that a job says: it must never wait for its reader, whatever becomes of its log."""
    kept = 0
    with output:
        while line := output.readline(LINE_BYTES):
            kept += len(line)
            if kept <= LOG_BYTES:
                with contextlib.suppress(OSError), log_path.open("ab", buffering=0) as log_file:  # the disk may be full
                    log_file.write(line)
            try:
                heard(line.decode(errors="replace").rstrip("\r\n"))
            except Exception:
                log.exception("A line of a job's output could not be taken in")
