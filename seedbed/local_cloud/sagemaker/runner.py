"""One job's process: started in a group of its own, watched, stopped, and its output read line by line."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from . import reaper

log = logging.getLogger(__name__)

LINE_BYTES = 16_384
LOG_BYTES = 64 * 2**20
DRAIN_SECONDS = 5.0
SHUTDOWN_GRACE = 3.0


class Stop:
    """A wish that a job end, and why. The first reason stays, but the endpoint's own shutdown outranks every other."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._call: Callable[[], None] = lambda: None
        self.wake = threading.Event()

    def when_asked(self, call: Callable[[], None]) -> None:
        """Has `call` called with every wish from now on, and at once if there was one."""
        self._call = call
        if self.reason is not None:
            call()

    def ask(self, reason: str) -> None:
        """`stopped` by a caller, `early` by early stopping, `shutdown` of the endpoint."""
        with self._lock:
            if self.reason is None or reason == "shutdown":
                self.reason = reason
        self.wake.set()
        self._call()


@dataclass(frozen=True)
class Launch:
    """What to run, and where what it says is kept."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log_path: Path


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit status, and why it was told to end (`timeout` or a Stop's reason), if it was."""

    exit_code: int
    ended_by: str | None


class Reaper:
    """The endpoint's side of the reaper process, which is started with the first job and again should it be gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def watch(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._say(f"+{group}\n")

    def release(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            self._say(f"-{group}\n")

    def close(self) -> None:
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait(5)
                self._process = None

    def _say(self, line: str) -> None:
        try:
            self._write(line)
        except OSError:
            self._process = None
            self._write("".join(f"+{group}\n" for group in self._groups))

    def _write(self, text: str) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(reaper.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())


class Runner:
    """Runs jobs' processes. `grace` is the seconds from SIGTERM to SIGKILL."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._reaper = Reaper()

    def close(self) -> None:
        self._reaper.close()

    def run(
        self,
        launch: Launch,
        stop: Stop,
        seconds: float,
        started: Callable[[int, float], None],
        heard: Callable[[str], None],
    ) -> Outcome:
        """Blocks until the process has ended; it is told to after `seconds`, or when `stop` asks.

        started: gets the process id and its time of creation, to find it again after a crash of the endpoint.
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
        self._reaper.watch(process.pid)
        try:
            with contextlib.suppress(psutil.Error):
                started(process.pid, psutil.Process(process.pid).create_time())
            assert process.stdout is not None
            reader = threading.Thread(target=_read, args=(process.stdout, launch.log_path, heard), daemon=True)
            reader.start()
            outcome = self._wait(process, stop, seconds)
            kill_group(process.pid)
            reader.join(DRAIN_SECONDS)
        finally:
            kill_group(process.pid)
            self._reaper.release(process.pid)
        return outcome

    def _wait(self, process: "subprocess.Popen[bytes]", stop: Stop, seconds: float) -> Outcome:
        ended = threading.Event()

        def wait() -> None:
            process.wait()
            ended.set()
            stop.wake.set()

        threading.Thread(target=wait, daemon=True).start()
        if not stop.wake.wait(seconds) and not ended.is_set():
            self._end(process, ended, self._grace)
            return Outcome(process.wait(), "timeout")
        if ended.is_set():
            return Outcome(process.returncode, stop.reason)
        self._end(process, ended, min(self._grace, SHUTDOWN_GRACE) if stop.reason == "shutdown" else self._grace, stop)
        return Outcome(process.wait(), stop.reason)

    def _end(
        self, process: "subprocess.Popen[bytes]", ended: threading.Event, grace: float, stop: Stop | None = None
    ) -> None:
        """SIGTERM to the process alone, as a container's first process gets it; after the grace SIGKILL to its group."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while not ended.wait(min(0.1, max(0.0, deadline - time.monotonic()))):
            if stop is not None and stop.reason == "shutdown":
                deadline = min(deadline, time.monotonic() + SHUTDOWN_GRACE)
            if time.monotonic() >= deadline:
                kill_group(process.pid)
                ended.wait(DRAIN_SECONDS)
                return


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_leftover(pid: int, created: float) -> None:
    """Kills the group of a process that outlived the endpoint, if this process is the one that was recorded."""
    with contextlib.suppress(psutil.Error):
        if abs(psutil.Process(pid).create_time() - created) < 1.0:
            kill_group(pid)


def _read(output: IO[bytes], log_path: Path, heard: Callable[[str], None]) -> None:
    kept = 0
    with output, log_path.open("ab") as log_file:
        while line := output.readline(LINE_BYTES):
            kept += len(line)
            if kept <= LOG_BYTES:
                log_file.write(line)
                log_file.flush()
            try:
                heard(line.decode(errors="replace").rstrip("\r\n"))
            except Exception:
                log.exception("A line of a job's output could not be taken in")
