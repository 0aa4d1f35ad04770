"""The local cloud's process ends in a bounded time, whatever hangs in it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from subprocess import PIPE

import pytest

from tests.children import said, started

BOUND = 0.5
PROGRAM = f"""
import asyncio, threading, time
from seedbed.local_cloud.ending import run_and_exit, watch_for_stop

async def main():
    stop = asyncio.Event()
    watch_for_stop(stop, {BOUND})
    print("up", flush=True)
    HANGS

run_and_exit(main())
"""
HANGING = {
    "the event loop": "time.sleep(600)",
    "a task that does not end": "await asyncio.sleep(600)",
    "a thread of the event loop's": "asyncio.ensure_future(asyncio.to_thread(time.sleep, 600)); await stop.wait()",
    "a thread that is not a daemon": "threading.Thread(target=time.sleep, args=[600]).start(); await stop.wait()",
    "nothing": "await stop.wait()",
    "nothing, and an error": "await stop.wait(); threading.Thread(target=time.sleep, args=[600]).start(); 1 / 0",
}
ENDED_FROM_WITHOUT = {"the event loop", "a task that does not end"}


def terminate(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)


def leave(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.close()
    process.stdin = None


@pytest.mark.parametrize("stop_it", [terminate, leave])
@pytest.mark.parametrize("hanging", HANGING)
def test_the_process_ends_in_time_whatever_hangs(
    hanging: str, stop_it: Callable[["subprocess.Popen[str]"], None]
) -> None:
    program = [sys.executable, "-c", PROGRAM.replace("HANGS", HANGING[hanging])]
    with started(program, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        stop_it(process)
        _, errors = said(process)
    assert ("Timeout" in errors and "most recent call first" in errors) == (hanging in ENDED_FROM_WITHOUT)
    assert ("ZeroDivisionError" in errors) == ("error" in hanging)
    assert (process.returncode == 0) == (not errors)
