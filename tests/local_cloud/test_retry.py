"""Another attempt after a run that was stopped, by the command, on the real local cloud."""

import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.errors import SeedbedError
from tests.children import ROOT
from tests.local_cloud.conftest import LittleCloud


def retry(cloud: LittleCloud, run_id: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    command = [str(Path(sys.executable).with_name("seedbed")), "retry", run_id]
    environment = {"SEEDBED_HOME": str(cloud.home.path), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_retry_gives_a_stopped_run_its_next_attempt_and_refuses_the_rest(cloud: LittleCloud) -> None:
    cloud.put_images(range(48))
    (run,) = cloud.wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "the run to tune")
    refused = retry(cloud, run["run_id"])
    assert (refused.returncode, refused.stdout, refused.stderr.split(":")[0]) == (1, "", "Error")
    assert "is still in progress. Stop it first" in refused.stderr

    cloud.stack.post(f"/runs/{run['run_id']}/stop")
    assert [ended["state"] for ended in cloud.ended_runs(1)] == ["Stopped"]
    accepted = retry(cloud, run["run_id"])

    assert accepted.returncode == 0
    assert f"The images of the run {run['run_id']} get another attempt" in accepted.stdout
    first, second = cloud.ended_runs(2)
    assert (first["state"], second["state"]) == ("Stopped", "Completed")
    assert second["run_id"] == f"{run['run_id'].removesuffix('-1')}-2"
    with pytest.raises(SeedbedError, match="has succeeded"):
        cloud.stack.post(f"/runs/{second['run_id']}/retry")
