"""Runs a verb of the container as a job, and measures it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

CONTAINER = Path(__file__).parents[2] / "training_container"
LOG_LINES = 20
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
OWN_MEMORY = ("Pss_Anon:", "Pss_Shmem:")


class Usage(NamedTuple):
    """What a job used: seconds by the clock, seconds of its processors, and the most memory of its processes in bytes.

    Memory is what can't be read again from a file: a memory-mapped file's pages don't count.
    """

    seconds: float
    processor_seconds: float
    memory: int

    def beside(self, other: "Usage") -> "Usage":
        """What two jobs used that ran at the same time on machines of their own: the longer time, the larger memory."""
        processor_seconds = self.processor_seconds + other.processor_seconds
        return Usage(max(self.seconds, other.seconds), processor_seconds, max(self.memory, other.memory))


class RunningVerb:
    """A verb that runs in its own process group, with `folder` in place of /opt/ml.

    On `core` alone if one is given. Leaving the context ends it and all that it started.
    """

    def __init__(self, folder: Path, arguments: Sequence[str], core: int | None = None) -> None:
        self._verb, self._log = arguments[0], folder / "log"
        threads = {} if core is None else dict.fromkeys(ONE_THREAD, "1")
        own = {"SAGEMAKER_BASE_DIR": folder, "XDG_CACHE_HOME": folder / "cache", "PYTHONPATH": CONTAINER}
        environment = {**os.environ, **threads, **{name: str(path) for name, path in own.items()}}
        self._began = time.perf_counter()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "trainer", *arguments],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        self._memory = _Memory(self._process.pid)
        self._memory.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._memory.ended.set()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wait(self) -> Usage:
        """What it used. SystemExit with the end of its log if it fails."""
        _, status, used = os.wait4(self._process.pid, 0)
        seconds = time.perf_counter() - self._began
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._memory.ended.set()
        self._memory.join()
        if self._process.returncode:
            last = self._log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise SystemExit("\n".join([*last, f"The verb {self._verb} failed; the lines above say why."]))
        return Usage(seconds, used.ru_utime + used.ru_stime, self._memory.most)


def run(folder: Path, arguments: Sequence[str], core: int | None = None) -> Usage:
    """What a verb used, from its start to its end."""
    with RunningVerb(folder, arguments, core) as running:
        return running.wait()


class _Memory(threading.Thread):
    """Follows the memory of a process and all below it, until `ended` is set."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.ended = threading.Event()
        self.most = 0

    def run(self) -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._pid)
            while not self.ended.wait(0.5):
                pids = [self._pid, *(child.pid for child in process.children(recursive=True))]
                self.most = max(self.most, sum(map(own_memory, pids)))


def own_memory(pid: int) -> int:
    """A process's share of the memory that is no file's, in bytes; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(OWN_MEMORY))
