"""A process is identified by its start since boot, not by the clock."""

import subprocess
import sys

import psutil
import pytest

from seedbed.local_cloud.process_identity import PROC, is_alive, is_there, process_identity
from tests.waiting import PATIENCE

SLEEPER = [sys.executable, "-c", "input()"]


def test_a_running_process_is_alive_though_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (PROC / "sys/kernel/random/boot_id").exists():
        pytest.skip("there is no /proc here: processes are identified by psutil's creation time")
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process:
        identity = process_identity(process.pid)
        asked = psutil.Process.create_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: asked(self) + 2)
        assert is_alive(identity)


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process:
        identity = process_identity(process.pid)
        process.kill()
        psutil.Process(process.pid).wait(PATIENCE)
        assert not is_alive(identity)
        process.wait()
        assert not is_there(identity)


def test_a_process_that_reuses_the_id_has_another_identity() -> None:
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process:
        pid, boot, ticks = process_identity(process.pid).split(":")
        assert is_alive(f"{pid}:{boot}:{ticks}")
        assert not is_alive(f"{pid}:{boot}:{int(ticks) - 1}")
        assert not is_alive(f"{pid}:another-boot:{ticks}")


@pytest.mark.parametrize("identity", [None, "", "x", "-1:a:1", 7, "0:a:1", f"{2**70}:a:1", {}])
def test_a_malformed_identity_is_not_alive(identity: object) -> None:
    assert not is_alive(identity)
