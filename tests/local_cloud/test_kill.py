"""A run completes though the local cloud is killed at any moment."""

from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from seedbed.local_cloud.home.folder import Home
from tests.local_cloud.conftest import LITTLE, kill, progress_in, up
from tests.local_cloud.moments import MOMENTS, Moment, Traces
from tests.waiting import wait_for

IMAGES = 120
CUT_OFF_AFTER = (0, 17, 119, IMAGES)
UNHURRIED = {**LITTLE, "QuietPeriodSeconds": "120"}


def kill_at(home: Home, moment: Moment, name: str) -> None:
    """Kill the cloud at a moment, which is checked for every few milliseconds."""
    traces = Traces(home)
    wait_for(partial(moment, traces), name, partial(progress_in, home), pause=0.003)
    kill(home)


@pytest.mark.timeout(0)  # each of its waits is bounded
def test_a_run_completes_though_the_cloud_is_killed_at_each_of_its_moments(tmp_path: Path) -> None:
    home = Home(tmp_path / "seedbed")
    for first, end in pairwise((0, *CUT_OFF_AFTER)):
        with up(home, UNHURRIED) as cloud:
            cloud.put_images(range(first, end))
            kill(home)
    for name, moment in MOMENTS.items():
        with up(home):
            kill_at(home, moment, name)
    assert len(MOMENTS) >= 19

    with up(home) as cloud:
        (run,) = cloud.ended_runs(1)
        assert (run["run_id"][-2:], run["state"]) == ("-1", "Completed"), run["reason"]
        details = cloud.stack.get(f"/runs/{run['run_id']}")
        dataset = details["dataset"]
        named = sum(len(dataset[kind]) for kind in ("duplicates", "near_duplicates", "refused"))
        assert dataset["images"] == dataset["used"] + named == IMAGES
        assert [trial["status"] for trial in details["trials"]] == ["Completed", "Completed"]
        sagemaker = cloud.stack.client("sagemaker")
        assert len(sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]) == 1
        assert cloud.stack.get("/models/best")["run_id"] == run["run_id"]
        assert len(cloud.mails(1)) in {1, 2}  # a kill between sending and marking may double it
