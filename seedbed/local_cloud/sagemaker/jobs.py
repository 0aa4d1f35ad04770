"""What the threads of all kinds of jobs share: the services they use, and the list of running jobs."""

import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .cloudwatch import RegionalCloudWatch
from .containers.cluster.hosts import FIRST, Host
from .containers.cluster.run import ClusterRun, HostLaunch
from .containers.exit_status import exit_code, in_words
from .containers.launcher import ContainerSpec, Launcher
from .containers.opt_ml import MOVED, ROOT
from .containers.output import Listener
from .containers.process import Launch, Outcome, ProcessRunner, Stop
from .containers.terminal_text import visible
from .disk import Disk
from .errors import REASON_LENGTH
from .full_disk import DiskRetry
from .kinds import TUNING, Kind
from .records.ledger import Ledger
from .s3.feed import Feed, running
from .s3.transfer import DataTransfer
from .settings import EndpointSettings

TAIL_LINES = 12
STATE_SECONDS = 10.0
LEFT_OUT_LINES = 10


@dataclass(frozen=True)
class JobServices:
    """The parts of the endpoint that jobs' threads use."""

    settings: EndpointSettings
    ledger: Ledger
    transfer: DataTransfer
    cloudwatch: RegionalCloudWatch
    launcher: Launcher
    runner: ProcessRunner
    job_threads: "JobThreads"
    disk: Disk

    def disk_retry(self, kind: Kind, name: str, stop: Stop, tuning_job: str = "") -> DiskRetry:
        """How the job waits for disk space; its tuning job, if it has one, is shown as waiting too."""
        return DiskRetry(self.disk, [(kind, name), *([(TUNING, tuning_job)] if tuning_job else [])], stop)

    def run(
        self,
        specs: Sequence[ContainerSpec],
        listeners: Sequence[Listener],
        disk_retry: DiskRetry,
        feeds: Sequence[Feed] = (),
    ) -> Outcome:
        """Runs the containers of a job's hosts, and records their identities: the next start ends them after a crash.

        listeners: one for each container. feeds: run beside them. Raises JobFailure if a process can't be started or a
        feed fails.
        """
        (kind, name), stop = disk_retry.job, disk_retry.stop

        def on_start(processes: list[str]) -> None:
            with suppress(sqlite3.OperationalError):  # the processes themselves may be what fills the disk
                self.ledger.store.remember(kind, name, processes=processes)

        launches = self._launches(specs)
        if stop.reason is not None:
            for launch in launches:
                launch.clean_up()
            return Outcome(-signal.SIGTERM, stop.reason)
        cluster = ClusterRun(self.runner, stop, on_start)
        with running(feeds, cluster.end):
            return cluster.run([HostLaunch(*pair) for pair in zip(launches, listeners, strict=True)])

    def _launches(self, specs: Sequence[ContainerSpec]) -> list[Launch]:
        launches: list[Launch] = []
        try:
            launches.extend(map(self.launcher.launch, specs))
        except BaseException:
            for launch in launches:
                launch.clean_up()
            raise
        return launches


@dataclass
class JobThreads:
    """The jobs that have a thread now, each with its Stop."""

    _stops: dict[tuple[Kind, str], Stop] = field(default_factory=dict)
    _threads: set[threading.Thread] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: bool = False

    def start(self, kind: Kind, name: str, work: Callable[[Stop], None]) -> Stop:
        """Runs `work` in a thread, unless the job has one. After `shutdown` nothing is started any more."""
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
                stop.request("shutdown")
                return stop
            self._stops[key] = stop
            self._threads.add(thread)
        thread.start()
        return stop

    def has(self, kind: Kind, name: str) -> bool:
        """Whether the job has a thread."""
        with self._lock:
            return (kind, name.lower()) in self._stops

    def request_stop(self, kind: Kind, name: str, reason: str = "stopped") -> None:
        with self._lock:
            stop = self._stops.get((kind, name.lower()))
        if stop is not None:
            stop.request(reason)

    def shutdown(self, timeout: float) -> None:
        """Stops every job's process and waits for the threads; the jobs stay in progress in the records."""
        with self._lock:
            self._closing = True
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.request("shutdown")
        for thread in threads:
            thread.join(timeout)


class Output:
    """Sends the lines of one container to CloudWatch.

    Of a line that is overwritten, as progress bars are, its last state is sent, and one every ten seconds before.
    region: in which CloudWatch has them. host: which of the job's hosts it is.
    """

    def __init__(self, services: JobServices, group: str, job: str, region: str, host: Host = FIRST) -> None:
        self._cloudwatch = services.cloudwatch.of(region)
        self._launcher = services.launcher
        self._stream = (group, f"{job}/{host.name}-{int(time.time())}")
        self._state = ""
        self._sent_at = time.monotonic()
        self._last: deque[str] = deque(maxlen=TAIL_LINES)
        self.names_opt_ml = False

    def on_line(self, line: str, ended: bool = True) -> None:
        """Takes in a line. ended: False if the next one overwrites it."""
        if not self._state or visible(line):
            self._state = line
        if ended:
            self._last.append(self._state)
            self.names_opt_ml = self.names_opt_ml or f"{ROOT}/" in self._state
            self._send()
        elif time.monotonic() - self._sent_at >= STATE_SECONDS:
            self._send()

    def tail(self) -> list[str]:
        """The last lines, as a terminal would show them."""
        return [visible(line) for line in self._last]

    def note(self, text: str) -> None:
        """Adds a sentence of the endpoint to the log."""
        self._cloudwatch.line(self._stream, text)

    def moved_note(self, image_uri: str, message: str) -> str:
        """A sentence for a job that looked for /opt/ml, or names it in its message, where its files are elsewhere."""
        looked = self.names_opt_ml or f"{ROOT}/" in message
        return MOVED if looked and self._launcher.moves_opt_ml(image_uri) else ""

    def on_left_out(self, sentences: Sequence[str]) -> None:
        """Says what can't be uploaded of what the container left."""
        for sentence in sentences[:LEFT_OUT_LINES]:
            self.note(f"Not uploaded: {sentence}")
        if len(sentences) > LEFT_OUT_LINES:
            self.note(f"Not uploaded: {len(sentences) - LEFT_OUT_LINES} more")

    def _send(self) -> None:
        self._cloudwatch.line(self._stream, self._state)
        self._state, self._sent_at = "", time.monotonic()


def failure_reason(message: str, status: int, tail: list[str], note: str = "", host: str = "") -> str:
    """AlgorithmError with the container's own message or, if it left none, the end of its output.

    status: the exit status, negative if a signal ended the process; the reason then names the signal.
    note: another sentence, which stands whole before the exit code. host: the name of the host that failed, of several.
    """
    head = " ".join(filter(None, ("AlgorithmError:", host and f"{host}:", in_words(status), message)))
    ending = f"{note and ' '}{note.removesuffix('.')}, exit code: {exit_code(status)}"
    if not message:
        said = "\n".join(tail[-TAIL_LINES:]).strip() or "the container said nothing"
        head += " It said last: " if in_words(status) else " "
        head += said[-(REASON_LENGTH - len(head) - len(ending)) :]
    return head[: REASON_LENGTH - len(ending)] + ending


def fresh_directory(path: Path) -> Path:
    """Creates an empty directory in place of one that an interrupted run may have left."""
    remove_directory(path)
    path.mkdir(parents=True)
    return path


def remove_directory(path: Path) -> None:
    try:
        shutil.rmtree(path, ignore_errors=True)
    except RecursionError:  # a job can nest folders deeper than that goes
        subprocess.run(["rm", "-rf", "--", path], check=False)
