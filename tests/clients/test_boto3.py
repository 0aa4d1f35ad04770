"""boto3 as people use it: waiters, paginators, typed exceptions, logs."""

import io
import tarfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint


@pytest.fixture(scope="module")
def client(endpoint: "Endpoint") -> Any:
    """A client made as for AWS, without any option for the endpoint."""
    return boto3.client("sagemaker")


def test_boto3s_waiters_wait_for_jobs(endpoint: "Endpoint", client: Any) -> None:
    endpoint.train("waited", {"epochs": "3", "pause": "0.05"})
    endpoint.process_images("waited")
    quick = {"Delay": 1, "MaxAttempts": 30}
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="waited", WaiterConfig=quick)
    client.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName="waited", WaiterConfig=quick)
    assert client.describe_training_job(TrainingJobName="waited")["SecondaryStatus"] == "Completed"


def test_a_taken_name_raises_its_own_exception(endpoint: "Endpoint", client: Any) -> None:
    endpoint.tune("taken", jobs=1, parallel=1)
    with pytest.raises(client.exceptions.ResourceInUse, match="TAKEN"):
        client.create_hyper_parameter_tuning_job(**endpoint.tuning_request("TAKEN", jobs=1, parallel=1))
    endpoint.ended("tuning", "taken")


def test_a_missing_resource_raises_its_own_exception(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFound, match="nobody"):
        client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="nobody")


def test_an_unknown_operation_is_refused_by_name(client: Any) -> None:
    with pytest.raises(client.exceptions.ClientError, match="CreateFeatureGroup is not implemented"):
        client.create_feature_group(
            FeatureGroupName="a",
            RecordIdentifierFeatureName="id",
            EventTimeFeatureName="time",
            FeatureDefinitions=[{"FeatureName": "id", "FeatureType": "String"}],
        )


def test_the_model_and_the_log_are_where_aws_has_them(endpoint: "Endpoint", client: Any) -> None:
    endpoint.train("whole", {"epochs": "1"})
    job = endpoint.ended("training", "whole")
    bucket, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").split("/", 1)
    model = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(model)) as archive:
        assert archive.getnames() == ["seen.json"]
    logs = boto3.client("logs")

    def lines() -> list[str]:
        found = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="whole/algo-1-")
        return [event["message"] for event in found["events"]]

    assert "accuracy: " in endpoint.eventually(lines)[0]
