"""A run whose plan is for many images, on the real local cloud: two instances, a merge, a sample, all images."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from job_manager.domain.settling import SettleRule
from job_manager.settings import Settings
from job_manager.steps.start_run import start_run
from job_manager.wiring import AWS
from seedbed.local_cloud.home.folder import Home
from tests.local_cloud.conftest import LITTLE, LittleCloud, up

IMAGES = 100
PARAMETERS = {**LITTLE, "QuietPeriodSeconds": "900", "MaximumWaitSeconds": "900", "HeadSample": "30"}
AT_ONCE = SettleRule(quiet=timedelta(0), maximum_wait=timedelta(0))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleCloud]:
    """A local cloud whose own functions start no run for a quarter of an hour."""
    folder: Path = tmp_path_factory.mktemp("home")
    with up(Home(folder / "seedbed"), PARAMETERS) as cloud:
        yield cloud


@pytest.fixture
def manager(cloud: LittleCloud, monkeypatch: pytest.MonkeyPatch) -> tuple[AWS, Settings]:
    """The job manager in this process, with the environment of the stack's functions."""
    functions = cloud.stack.client("lambda").list_functions()["Functions"]
    (variables,) = [found["Environment"]["Variables"] for found in functions if "StartRun" in found["FunctionName"]]
    keys = cloud.stack.session.get_credentials()
    assert keys is not None
    assert cloud.stack.endpoint is not None
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it may have the keys of an earlier cloud
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.stack.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(keys.access_key))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", str(keys.secret_key))
    for name in ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"):
        monkeypatch.setenv(name, variables[name])
    settings = msgspec.convert(variables, Settings, strict=False)
    return AWS(settings), settings


def jobs_of(cloud: LittleCloud, run_id: str) -> dict[str, Any]:
    """The run's jobs but its trials, by the ends of their names, with how many instances each had."""
    sagemaker = cloud.stack.client("sagemaker")
    processing = sagemaker.list_processing_jobs(NameContains=run_id)["ProcessingJobSummaries"]
    described = [sagemaker.describe_processing_job(ProcessingJobName=job["ProcessingJobName"]) for job in processing]
    refit = sagemaker.describe_training_job(TrainingJobName=f"{run_id}-refit")
    return {
        "refit": refit["ResourceConfig"]["InstanceCount"],
        **{
            job["ProcessingJobName"].removeprefix(f"{run_id}-"): job["ProcessingResources"]["ClusterConfig"][
                "InstanceCount"
            ]
            for job in described
        },
    }


def test_a_plan_for_many_images_runs_whole(cloud: LittleCloud, manager: tuple[AWS, Settings]) -> None:
    ports, settings = manager
    cloud.put_images(range(IMAGES))
    pending = cloud.wait_for(ports.runs.pending, "the uploads to be noted")
    plan = replace(settings.plan, prepare_instances=2, images_per_instance=IMAGES // 2)

    run = start_run(pending.last_at, ports, plan, AT_ONCE)
    assert run
    assert (run.plan.prepare_instances, run.plan.head_sample) == (2, 30)

    (shown,) = cloud.ended_runs(1)
    found = cloud.stack.get(f"/runs/{run.run_id}")
    assert (shown["state"], found["notice"]) == ("Completed", None), found["reason"]
    assert jobs_of(cloud, run.run_id) == {"prepare": 2, "merge": 1, "refit": 1, "evaluate": 1}
    assert found["dataset"]["images"] == IMAGES
    assert found["best_head"]["name"] == f"{run.run_id}-refit"
    samples = {trial["stage"]: trial["hyperparameters"]["sample"] for trial in found["trials"]}
    assert samples == {"tune": "30", "refit": "0"}
    assert found["test_accuracy"] > 0.5
