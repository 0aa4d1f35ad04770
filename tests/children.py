"""The processes that tests start: each begins as from a person's own shell, and is gone when its test is."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from seedbed.local_cloud.process import wait_until_ended
from tests.waiting import wait_for, work_of

ROOT = Path(__file__).parents[1]
LAUNCHER = ROOT / "tests" / "launch.py"
BY_THEMSELVES = 20.0
"""Seconds in which what a killed process had started may end by itself, as it should, before it is killed too."""

Process = subprocess.Popen[str]


def start(words: Sequence[Any], **options: Any) -> Process:
    """The process, the leader of a session of its own. `end` ends it, if not `started`."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
    options = {"encoding": "utf-8", "start_new_session": True, **options}
    return subprocess.Popen([*launcher, *(os.fspath(word) for word in words)], **options)


def end(process: Process) -> None:
    """It and all that it had started are gone afterwards, whatever they were at."""
    family = family_of(process.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for left in wait_until_ended(family, BY_THEMSELVES):
        with contextlib.suppress(psutil.NoSuchProcess):
            left.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


@contextlib.contextmanager
def started(words: Sequence[Any], **options: Any) -> Iterator[Process]:
    """The process, and nothing of it once the block has ended."""
    process = start(words, **options)
    try:
        yield process
    finally:
        end(process)


def family_of(pid: int) -> list[psutil.Process]:
    """What a process has started so far."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def said(process: Process, progress: Callable[[], object] | None = None) -> tuple[str, str]:
    """Output and errors of a process that ends by itself, however long that takes it while it works."""
    answer: list[tuple[str, str]] = []

    def has_ended() -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            answer.append(process.communicate(timeout=0.2))
        return bool(answer)

    wait_for(has_ended, f"the end of {process.args!r}", progress or (lambda: work_of(process.pid)))
    return answer[0]


def wait_until_gone(processes: Sequence[psutil.Process]) -> None:
    """Returns once none of them runs."""
    wait_for(lambda: not wait_until_ended(processes, 0), f"the end of {processes}")


def exited(process: Process) -> int:
    """Its exit status, once it has ended."""
    wait_for(lambda: process.poll() is not None, f"the end of {process.args!r}", lambda: work_of(process.pid))
    assert process.returncode is not None
    return process.returncode


def run(words: Sequence[Any], *, check: bool = False, **options: Any) -> subprocess.CompletedProcess[str]:
    """What came of a program that ends by itself. Raises CalledProcessError where it failed, with `check`."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(words, **{**pipes, **options}) as process:
        output, errors = said(process)
    done = subprocess.CompletedProcess(list(words), process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done
