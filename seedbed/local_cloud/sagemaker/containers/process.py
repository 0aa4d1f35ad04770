"""One job's process: started in its own process group, watched and stopped."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ...process_identity import is_there, process_id, process_identity
from .guard import Guard
from .output import Listener, OutputReader

SHUTDOWN_GRACE = 3.0
PRIORITIES = {"failed": 0, "interrupted": 0, "timeout": 1, "early": 1, "stopped": 1, "shutdown": 2}

KILLED = "[The program did not end on SIGTERM in time, and was killed.]"
LEFT = "[Processes that the program left running in a session of their own were ended: {}.]"

Process = subprocess.Popen[bytes]


class Stop:
    """A request to end a job, with its reason, which only one of higher priority replaces."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._call: Callable[[], None] = lambda: None

    def on_request(self, call: Callable[[], None]) -> None:
        """Calls `call` for every request from now on, and immediately if there was one."""
        self._call = call
        if self.reason is not None:
            call()

    def request(self, reason: str) -> None:
        """Asks for the end.

        reason: `interrupted` (the Spot instance), `early` (early stopping), `stopped` (a caller) or `shutdown`; of one
        process of several also `failed` (another one did, or what feeds them) and `timeout`.
        """
        with self._lock:
            if self.reason is None or PRIORITIES[reason] > PRIORITIES[self.reason]:
                self.reason = reason
        self._call()

    def clear_interruption(self) -> None:
        """Lets the job run again, unless there is another reason to end."""
        with self._lock:
            if self.reason == "interrupted":
                self.reason = None
            self._call = lambda: None

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds, or as soon as there is a reason to end."""
        asked = threading.Event()
        self.on_request(asked.set)
        asked.wait(max(0.0, seconds))


@dataclass(frozen=True)
class Launch:
    """What to run, for how many seconds at most, and where its output is kept.

    clean_up: removes what is left of it after its end. end_leftovers: before that kills the processes that it left, and
    returns how many had left the process group, which it is given.
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log_path: Path
    seconds: float
    clean_up: Callable[[], None] = lambda: None
    end_leftovers: Callable[[int], int] = lambda _: 0


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit status and why it was stopped (`timeout` or a Stop's reason), if it was.

    host: of a job with several hosts, the index of the one that ended so.
    """

    exit_code: int
    ended_by: str | None
    host: int = 0


class ProcessRunner:
    """Runs jobs' processes. grace: seconds from SIGTERM to SIGKILL."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._guard = Guard()

    def close(self) -> None:
        self._guard.close()

    def run(
        self,
        launch: Launch,
        stop: Stop,
        on_start: Callable[[str], None],
        listener: Listener,
        on_end: Callable[[Outcome], None] = lambda _: None,
    ) -> Outcome:
        """Blocks until the process has ended; it is stopped when its time is up or `stop` is requested.

        on_start: called with the process's identity, by which it is found after a crash of the endpoint.
        listener: receives its output, standard error included. on_end: called as soon as the process has ended, before
        the rest of its output is read. Raises OSError if it can't be started.
        """
        launch.log_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            process = subprocess.Popen(
                launch.command,
                cwd=launch.folder,
                env=launch.environment,
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            launch.clean_up()
            raise
        try:
            self._guard.watch(process.pid)
            with contextlib.suppress(psutil.Error):
                on_start(process_identity(process.pid))
            assert process.stdout is not None
            reader = OutputReader(process.stdout, launch.log_path, listener)
            outcome = self._wait(process, stop, launch.seconds, listener)
            on_end(outcome)
        finally:
            kill_group(process.pid)
            left = launch.end_leftovers(process.pid)
            launch.clean_up()
            self._guard.release(process.pid)
        reader.finish()
        if left:
            listener.note(LEFT.format(left))
        return outcome

    def _wait(self, process: Process, stop: Stop, seconds: float, listener: Listener) -> Outcome:
        ended, woken = threading.Event(), threading.Event()

        def wait() -> None:
            process.wait()
            ended.set()
            woken.set()

        threading.Thread(target=wait, daemon=True).start()
        stop.on_request(woken.set)
        woken.wait(max(0.0, seconds))
        if ended.is_set():
            return Outcome(process.returncode, None if stop.reason == "interrupted" else stop.reason)
        reason = stop.reason or "timeout"
        if not self._end(process, ended, stop):
            listener.note(KILLED)
        return Outcome(process.wait(), reason)

    def _end(self, process: Process, ended: threading.Event, stop: Stop) -> bool:
        """Sends SIGTERM to the process, as to a container's main process; after the grace, SIGKILL to its group.

        Returns whether it ended by itself.
        """
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        while not ended.wait(0.05):
            grace = min(self._grace, SHUTDOWN_GRACE) if stop.reason == "shutdown" else self._grace
            if time.monotonic() - asked >= grace:
                kill_group(process.pid)
                ended.wait()
                return False
        return True


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_leftover(identity: object) -> None:
    """Kills the group of a process that outlived the endpoint, if it is still the recorded one."""
    if is_there(identity):
        kill_group(process_id(identity))
