"""Waiting for the local cloud's child processes."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from seedbed.local_cloud.process import end, wait_until_ended
from tests.waiting import PATIENCE


def test_a_zombie_counts_as_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        ended = psutil.Process(process.pid)
        assert wait_until_ended([ended], PATIENCE) == []
        assert ended.status() == psutil.STATUS_ZOMBIE


def test_a_running_process_is_returned() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        running = psutil.Process(process.pid)
        assert wait_until_ended([running], 0.05) == [running]


def test_a_cloud_that_ends_just_before_it_is_killed_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, start_new_session=True
    )

    def gone(group: int, number: int) -> None:
        assert (group, number) == (process.pid, signal.SIGKILL)
        raise ProcessLookupError

    monkeypatch.setattr(os, "killpg", gone)
    end(process, grace=0.0)
    assert process.returncode is not None
