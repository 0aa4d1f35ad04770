"""A job belongs to the region of its client."""

from typing import Any

import boto3
import pytest

from tests.sagemaker.test_state_change import Mailbox
from tests.sagemaker.toy_endpoint import CREDENTIALS, Endpoint, definition, tuning_request


def in_region(endpoint: Endpoint, service: Any, region: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name=region,
        aws_access_key_id=CREDENTIALS.access_key,
        aws_secret_access_key=CREDENTIALS.secret_key,
    )


@pytest.mark.parametrize(
    ("region", "prefix"),
    [("eu-west-1", "arn:aws:sagemaker:eu-west-1:"), ("cn-north-1", "arn:aws-cn:sagemaker:cn-north-1:")],
)
def test_arns_and_events_have_the_clients_region(endpoint: Endpoint, region: str, prefix: str) -> None:
    name = f"from-{region}"
    box = Mailbox(endpoint, name, {"source": ["aws.sagemaker"], "detail": {"HyperParameterTuningJobName": [name]}})
    made = in_region(endpoint, "sagemaker", region).create_hyper_parameter_tuning_job(
        **tuning_request(name, jobs=1, parallel=1)
    )
    job = endpoint.ended("tuning", name)
    arn = job["HyperParameterTuningJobArn"]
    assert made["HyperParameterTuningJobArn"] == arn
    assert arn == f"{prefix}000000000000:hyper-parameter-tuning-job/{name}"
    assert job["BestTrainingJob"]["TrainingJobArn"].startswith(f"{prefix}000000000000:training-job/{name}-001-")
    endpoint.eventually(lambda: len(box.look()) >= 2)
    assert {event["region"] for event in box.received} == {region}
    assert box.received[0]["resources"] == [arn]


def test_logs_and_metrics_are_in_the_clients_region(endpoint: Endpoint) -> None:
    clients = {name: in_region(endpoint, name, "eu-central-1") for name in ("sagemaker", "logs", "cloudwatch")}
    clients["sagemaker"].create_training_job(TrainingJobName="afar", **definition())
    endpoint.ended("training", "afar")

    def logged() -> bool:
        groups = clients["logs"].describe_log_groups()["logGroups"]
        return [group["logGroupName"] for group in groups] == ["/aws/sagemaker/TrainingJobs"]

    endpoint.eventually(logged)
    endpoint.eventually(lambda: clients["cloudwatch"].list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"])
