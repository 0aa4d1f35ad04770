"""How long the local cloud waits for what it had started."""

import subprocess
import sys

import psutil

from seedbed.local_cloud.process import wait_until_ended
from tests.waiting import PATIENCE


def test_who_ended_is_waited_for_no_longer_though_nobody_took_notice_yet() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        ended = psutil.Process(process.pid)
        assert wait_until_ended([ended], PATIENCE) == []
        assert ended.status() == psutil.STATUS_ZOMBIE


def test_who_still_runs_is_named() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        running = psutil.Process(process.pid)
        assert wait_until_ended([running], 0.05) == [running]
