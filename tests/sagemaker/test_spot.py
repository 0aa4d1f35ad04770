"""Managed Spot training: interruptions, and jobs that wait too long."""

import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

LONG = {"epochs": "1000000", "pause": "0.05"}


def spot(runtime: int = 3600, wait: int = 3600) -> dict[str, Any]:
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime, "MaxWaitTimeInSeconds": wait},
    }


def secondary(endpoint: "Endpoint", name: str) -> str:
    return str(endpoint.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"])


def statuses(endpoint: "Endpoint", name: str) -> list[str]:
    job = endpoint.sagemaker.describe_training_job(TrainingJobName=name)
    return [step["Status"] for step in job["SecondaryStatusTransitions"]]


def test_a_job_without_another_instance_in_time_ends_as_on_aws(endpoint: "Endpoint") -> None:
    endpoint.train("no-capacity", LONG, **spot(runtime=8, wait=8))
    endpoint.eventually(lambda: endpoint.processes("no-capacity"))
    assert endpoint.interrupt("no-capacity", seconds=600)[0] == 200
    job = endpoint.ended("training", "no-capacity")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert "Interrupted" in statuses(endpoint, "no-capacity")


def test_a_job_that_waits_for_an_instance_can_be_stopped(endpoint: "Endpoint") -> None:
    endpoint.train("waits", LONG, **spot())
    endpoint.eventually(lambda: endpoint.processes("waits"))
    endpoint.interrupt("waits", seconds=600)
    endpoint.eventually(lambda: secondary(endpoint, "waits") == "Interrupted")
    endpoint.sagemaker.stop_training_job(TrainingJobName="waits")
    job = endpoint.ended("training", "waits")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")


def test_the_time_of_all_attempts_together_is_limited(endpoint: "Endpoint") -> None:
    endpoint.train("attempts", LONG, **spot(runtime=8))
    for number in (1, 2):
        endpoint.eventually(lambda: endpoint.log("training-job", "attempts").count("epoch 20 ") == number)  # noqa: B023
        endpoint.interrupt("attempts")
        endpoint.eventually(lambda: statuses(endpoint, "attempts").count("Interrupted") == number)  # noqa: B023
    job = endpoint.ended("training", "attempts")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    last = [step for step in job["SecondaryStatusTransitions"] if step["Status"] == "Training"][-1]
    assert (last["EndTime"] - last["StartTime"]).total_seconds() < 8


def test_an_interrupted_job_continues_after_a_crash_of_the_endpoint(own_endpoint: "Endpoint") -> None:
    endpoint = own_endpoint
    endpoint.train("dies", {"epochs": "20", **endpoint.held()}, **spot())
    endpoint.eventually(lambda: endpoint.processes("dies"))
    endpoint.interrupt("dies", seconds=2)
    endpoint.let_go()
    endpoint.eventually(lambda: secondary(endpoint, "dies") == "Interrupted")
    endpoint.end(signal.SIGKILL)
    endpoint.start()
    assert endpoint.ended("training", "dies")["TrainingJobStatus"] == "Completed"


def test_only_a_running_spot_job_can_be_interrupted(endpoint: "Endpoint") -> None:
    endpoint.train("on-demand")
    endpoint.ended("training", "on-demand")
    status, answer = endpoint.interrupt("on-demand")
    assert status == 400
    assert "EnableManagedSpotTraining" in answer["message"]
    endpoint.train("spot-over", **spot())
    endpoint.ended("training", "spot-over")
    assert "can't be interrupted now" in endpoint.interrupt("spot-over")[1]["message"]
    assert endpoint.interrupt("nobody")[0] == 400
    assert "CapacityInSeconds" in endpoint.interrupt("spot-over", seconds=-1)[1]["message"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        (spot(runtime=60, wait=59), "greater than MaxRuntimeInSeconds"),
        ({**spot(), "EnableManagedSpotTraining": False}, "EnableManagedSpotTraining"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/k", "LocalPath": "/tmp/x"}}, "/opt/ml"),
    ],
)
def test_impossible_values_are_refused_by_name(endpoint: "Endpoint", changes: dict[str, Any], named: str) -> None:
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=f"ValidationException.*{named}"):
        endpoint.train("refused", **changes)


@pytest.mark.parametrize(
    ("source", "more", "named"),
    [
        ({"S3DataType": "AugmentedManifestFile", "AttributeNames": ["a"]}, {}, "AugmentedManifestFile"),
        ({"S3DataType": "Converse"}, {}, "Converse"),
        ({}, {"CompressionType": "Gzip"}, "CompressionType"),
    ],
)
def test_an_unsupported_channel_is_refused_by_name(
    endpoint: "Endpoint", source: dict[str, Any], more: dict[str, Any], named: str
) -> None:
    place = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/", **source}}
    channel = {"ChannelName": "odd", "DataSource": place, **more}
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=f"'odd'.*{named}|{named}.*'odd'"):
        endpoint.train("refused", InputDataConfig=[channel])
