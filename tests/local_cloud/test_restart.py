"""The local cloud resumes where it was stopped or killed."""

from pathlib import Path

import pytest

from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.sagemaker.records.database_file import copy_of
from tests.local_cloud.conftest import kill, up


def test_a_run_survives_a_kill_and_damaged_records_with_one_e_mail(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "seedbed")
    with up(home) as cloud:
        cloud.put_images(range(100))
        cloud.wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "the run to tune")
        kill(home)
    with up(home) as cloud:
        [run] = cloud.ended_runs(1)
        assert run["state"] == "Completed", run["reason"]
        assert len(cloud.mails(1)) == 1
        before = cloud.stack.get(f"/runs/{run['run_id']}")
    records = home.path / "sagemaker/jobs.db"
    records.write_bytes(records.read_bytes()[:5000])
    copy_of(records).unlink()
    with up(home) as cloud:
        after = cloud.stack.get(f"/runs/{run['run_id']}")
        assert {**after, "notified": None} == {**before, "notified": None}
        assert cloud.stack.get("/models/best")["run_id"] == run["run_id"]
        cloud.put_images(range(100, 120))
        assert [run["state"] for run in cloud.ended_runs(2)] == ["Completed", "Completed"]
        assert len(cloud.mails(2)) == 2
    notes = capfd.readouterr().err
    assert f"The records of jobs in {records} can't be read: " in notes
    assert "runs that ended come back from the bucket" in notes
