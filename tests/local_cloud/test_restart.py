"""The local cloud goes on where it was stopped, in good order or not."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from seedbed.cloud import local_cloud
from seedbed.home import Home
from seedbed.stack import local_stack
from tests.local_cloud.conftest import LITTLE, LittleCloud, wait_for


@contextmanager
def up(home: Home) -> Iterator[LittleCloud]:
    with local_cloud(home, LITTLE) as answers:
        yield LittleCloud(home, local_stack(answers))


def kill(home: Home) -> None:
    """End the cloud's process as a power cut would, and wait until all that it had started is gone."""
    cloud = home.running()
    assert cloud
    process = psutil.Process(cloud["pid"])
    family = [process, *process.children(recursive=True)]
    os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


def test_a_run_survives_a_kill_and_nothing_is_told_twice(tmp_path: Path) -> None:
    home = Home(tmp_path / "seedbed")
    with up(home) as cloud:
        cloud.put_images(range(100))
        wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "the run to tune")
        kill(home)
    with up(home) as cloud:
        [run] = cloud.ended_runs(1)
        assert run["state"] == "Completed", run["reason"]
        assert len(cloud.mails(1)) == 1
        before = cloud.stack.get(f"/runs/{run['run_id']}")
    with up(home) as cloud:
        assert cloud.stack.get(f"/runs/{run['run_id']}") == before
        assert cloud.stack.get("/models/best")["run_id"] == run["run_id"]
        cloud.put_images(range(100, 120))
        assert [run["state"] for run in cloud.ended_runs(2)] == ["Completed", "Completed"]
        assert len(cloud.mails(2)) == 2
