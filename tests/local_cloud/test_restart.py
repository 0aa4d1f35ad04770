"""The local cloud goes on where it was stopped, in good order or not."""

from pathlib import Path

from seedbed.home import Home
from tests.local_cloud.conftest import kill, up, wait_for


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
