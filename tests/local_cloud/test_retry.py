"""Another attempt after a run that was stopped, followed to its end, by the commands, on the real local cloud."""

import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.errors import SeedbedError
from tests.children import ROOT, run
from tests.local_cloud.conftest import LittleCloud


def give(cloud: LittleCloud, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    command = [str(Path(sys.executable).with_name("seedbed")), *words]
    return run(command, cwd=ROOT, env={"SEEDBED_HOME": str(cloud.home.path), "PATH": "/usr/bin:/bin"})


def test_retry_gives_a_stopped_run_its_next_attempt_and_refuses_the_rest(cloud: LittleCloud) -> None:
    cloud.put_images(range(48))
    (first,) = cloud.wait_for(lambda: [run for run in cloud.runs() if run["state"] == "Tuning"], "the run to tune")
    refused = give(cloud, "retry", first["run_id"])
    assert (refused.returncode, refused.stdout, refused.stderr.split(":")[0]) == (1, "", "Error")
    assert "is still in progress. Stop it first" in refused.stderr

    assert f"{first['run_id']} is training heads: " in give(cloud, "status").stdout

    cloud.stack.post(f"/runs/{first['run_id']}/stop")
    assert [ended["state"] for ended in cloud.ended_runs(1)] == ["Stopped"]
    assert give(cloud, "status").stdout.startswith(f"{first['run_id']} was stopped: Stopped by a person.")
    accepted = give(cloud, "retry", first["run_id"])

    assert accepted.returncode == 0
    assert f"The images of the run {first['run_id']} get another attempt" in accepted.stdout
    followed = give(cloud, "watch")
    assert (followed.returncode, "has completed: " in followed.stdout) == (0, True), followed
    trials = cloud.stack.get(f"/runs/{cloud.runs()[0]['run_id']}")["trials"]
    assert followed.stdout.count("% on validation.") == len(trials) > 1
    (second,) = (run for run in cloud.ended_runs(2) if run["state"] == "Completed")
    assert second["run_id"] == f"{first['run_id'].removesuffix('-1')}-2"
    with pytest.raises(SeedbedError, match="has succeeded"):
        cloud.stack.post(f"/runs/{second['run_id']}/retry")
