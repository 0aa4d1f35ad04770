"""What every kind of job's thread has in common: the parts it works with, and the jobs that run now."""

import shutil
import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .cloudwatch import CloudWatch
from .containers.exit_status import exit_code, in_words
from .containers.launcher import Containers
from .containers.process import Launch, Outcome, Runner, Stop
from .disk import Disk
from .errors import REASON_LENGTH, JobFailure
from .full_disk import Room
from .kinds import TUNING, Kind
from .records.ledger import Ledger
from .s3.transfer import Data
from .settings import Settings

TAIL_LINES = 12


@dataclass(frozen=True)
class Workshop:
    """The parts with which jobs are run."""

    settings: Settings
    ledger: Ledger
    data: Data
    cloudwatch: CloudWatch
    containers: Containers
    runner: Runner
    running: "Running"
    disk: Disk

    def room(self, kind: Kind, name: str, stop: Stop, tuning_job: str = "") -> Room:
        """The job's claim to room on the disk; its tuning job, if it has one, waits when it does."""
        return Room(self.disk, [(kind, name), *([(TUNING, tuning_job)] if tuning_job else [])], stop)

    def run(self, launch: Launch, heard: Callable[[str], None], room: Room) -> Outcome:
        """Runs the job's process; its identity is recorded, so that the next start can end it should this one crash."""

        (kind, name), stop = room.job, room.stop

        def started(process: str) -> None:
            with suppress(sqlite3.OperationalError):  # this very process may fill the disk, and must not be waited for
                self.ledger.store.remember(kind, name, process=process)

        if stop.reason is not None:
            return Outcome(-signal.SIGTERM, stop.reason)
        try:
            return self.runner.run(launch, stop, started, heard)
        except OSError as error:
            raise JobFailure(
                f"ClientError: {launch.command[0]} can't be started in {launch.folder}: {error.strerror}"
            ) from error


@dataclass
class Running:
    """The jobs that have a thread now, each with the way to stop it."""

    _stops: dict[tuple[Kind, str], Stop] = field(default_factory=dict)
    _threads: set[threading.Thread] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: bool = False

    def start(self, kind: Kind, name: str, work: Callable[[Stop], None]) -> Stop:
        """Runs `work` in a thread, unless the job has one. After `shutdown` it waits for the next start instead."""
        stop = Stop()
        key = (kind, name.lower())

        def target() -> None:
            try:
                work(stop)
            finally:
                with self._lock:
                    if self._stops.get(key) is stop:
                        del self._stops[key]
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=target, name=f"sagemaker-{name}", daemon=True)
        with self._lock:
            if key in self._stops:
                return self._stops[key]
            if self._closing:
                stop.ask("shutdown")
                return stop
            self._stops[key] = stop
            self._threads.add(thread)
        thread.start()
        return stop

    def has(self, kind: Kind, name: str) -> bool:
        """Whether the job has a thread."""
        with self._lock:
            return (kind, name.lower()) in self._stops

    def ask_stop(self, kind: Kind, name: str, reason: str = "stopped") -> None:
        with self._lock:
            stop = self._stops.get((kind, name.lower()))
        if stop is not None:
            stop.ask(reason)

    def shutdown(self, timeout: float) -> None:
        """Stops every job's process and waits for the threads, which leave the records as they are."""
        with self._lock:
            self._closing = True
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.ask("shutdown")
        for thread in threads:
            thread.join(timeout)


class Output:
    """Takes in the lines of one container. `tail` are the last ones."""

    def __init__(self, shop: Workshop, group: str, job: str) -> None:
        self._cloudwatch = shop.cloudwatch
        self._stream = (group, f"{job}/algo-1-{int(time.time())}")
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)

    def heard(self, line: str) -> None:
        self.tail.append(line)
        self._cloudwatch.line(self._stream, line)


def failure_reason(message: str, status: int, tail: list[str]) -> str:
    """AlgorithmError with the container's own message or, where it left none, the end of its output.

    status: its exit status, negative where a signal ended it, of which the reason tells too.
    """
    head = " ".join(filter(None, ("AlgorithmError:", in_words(status), message)))
    ending = f", exit code: {exit_code(status)}"
    if not message:
        said = "\n".join(tail[-TAIL_LINES:]).strip() or "the container said nothing"
        head += " It said last: " if in_words(status) else " "
        head += said[-(REASON_LENGTH - len(head) - len(ending)) :]
    return head[: REASON_LENGTH - len(ending)] + ending


def fresh_directory(path: Path) -> Path:
    """An empty directory, where an interrupted run may have left one."""
    remove_directory(path)
    path.mkdir(parents=True)
    return path


def remove_directory(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
