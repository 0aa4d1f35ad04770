"""Waiting for the local cloud's child processes."""

import subprocess
import sys

import psutil

from seedbed.local_cloud.process import wait_until_ended
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
