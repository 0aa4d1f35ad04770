"""Wrong requests are refused with their code and field."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sagemaker.toy_endpoint import Endpoint

Change = Callable[[dict[str, Any]], Any]


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def at(*path: Any, value: Any) -> Change:
    """Sets one member of a request."""

    def change(request: dict[str, Any]) -> None:
        for step in path[:-1]:
            request = request[step]
        request[path[-1]] = value

    return change


PROCESSING_RULES: dict[str, tuple[Change, str]] = {
    "name": (at("ProcessingJobName", value="-x"), "processingJobName"),
    "no image": (at("AppSpecification", value={}), "appSpecification.imageUri"),
    "type": (at("ProcessingJobName", value=7), "processingJobName"),
    "item": (at("ProcessingInputs", 0, "S3Input", "S3DataType", value="Folder"), "processingInputs.1.member.s3Input"),
    "outside": (at("ProcessingInputs", 0, "S3Input", "LocalPath", value="/etc/cron.d"), "/etc/cron.d"),
    "climbing": (at("ProcessingInputs", 0, "S3Input", "LocalPath", value="/opt/ml/../../etc"), "/opt/ml/../../etc"),
    "same place": (at("ProcessingInputs", 0, "S3Input", "LocalPath", value="/opt/ml/processing/output"), "LocalPath"),
    "too long a run": (at("StoppingCondition", value={"MaxRuntimeInSeconds": 777_601}), "maxRuntimeInSeconds"),
}


@pytest.mark.parametrize("rule", PROCESSING_RULES)
def test_a_wrong_processing_job_is_refused_naming_the_field(endpoint: "Endpoint", rule: str) -> None:
    change, named = PROCESSING_RULES[rule]
    request = endpoint.processing_request("refused")
    change(request)
    code, message = refused(lambda: endpoint.unchecked.create_processing_job(**request))
    assert code == "ValidationException"
    assert named in message


@pytest.mark.parametrize(
    ("kind", "code"),
    [("training", "ValidationException"), ("processing", "ValidationException"), ("tuning", "ResourceNotFound")],
)
def test_an_unknown_job_is_answered_as_by_aws(endpoint: "Endpoint", kind: str, code: str) -> None:
    assert refused(lambda: endpoint.status(kind, "nobody"))[0] == code


def test_an_unknown_operation_is_refused_by_name(endpoint: "Endpoint") -> None:
    code, message = refused(endpoint.sagemaker.list_notebook_instances)
    assert code == "UnsupportedOperation"
    assert "ListNotebookInstances" in message


def test_a_next_token_of_another_operation_is_refused(endpoint: "Endpoint") -> None:
    code, message = refused(lambda: endpoint.sagemaker.list_training_jobs(NextToken="abc"))
    assert code == "ValidationException"
    assert "NextToken" in message


def test_tags_of_a_missing_resource_are_refused(endpoint: "Endpoint") -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/nobody"
    assert refused(lambda: endpoint.sagemaker.list_tags(ResourceArn=arn))[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "given twice"),
        ([{"Key": "AWS:a", "Value": "1"}], "begins with aws:"),
    ],
)
def test_wrong_tags_are_refused_for_every_kind_of_job(
    endpoint: "Endpoint", tags: list[dict[str, str]], named: str
) -> None:
    for create in (
        lambda: endpoint.train("tagged-wrong", Tags=tags),
        lambda: endpoint.process_images("tagged-wrong", Tags=tags),
        lambda: endpoint.tune("tagged-wrong", Tags=tags),
    ):
        code, message = refused(create)
        assert code == "ValidationException"
        assert named in message
