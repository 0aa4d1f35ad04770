"""What is refused, with which code, naming which field."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
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


CONFIG = "HyperParameterTuningJobConfig"
FLOATS = (CONFIG, "ParameterRanges", "ContinuousParameterRanges")
TUNING_RULES: dict[str, tuple[Change, str]] = {
    "name pattern": (at("HyperParameterTuningJobName", value="no_underscores"), "hyperParameterTuningJobName"),
    "name length": (at("HyperParameterTuningJobName", value="x" * 33), "less than or equal to 32"),
    "missing": (at(CONFIG, "ResourceLimits", value={}), "resourceLimits.maxParallelTrainingJobs"),
    "enum": (at(CONFIG, "Strategy", value="Guessing"), "hyperParameterTuningJobConfig.strategy"),
    "range of a number": (
        at(CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs", value=0),
        "greater than or equal to 1",
    ),
    "role": (at("TrainingJobDefinition", "RoleArn", value="arn:aws:iam::1:role/a-long-enough"), "roleArn"),
    "value length": (at("TrainingJobDefinition", "StaticHyperParameters", value={"a": "x" * 2501}), "a.value"),
    "unknown metric": (at(CONFIG, "HyperParameterTuningJobObjective", "MetricName", value="joy"), "'joy'"),
    "no metric regex": (
        at("TrainingJobDefinition", "AlgorithmSpecification", "MetricDefinitions", 0, "Regex", value="loss: ("),
        "metric 'loss'",
    ),
    "no metric group": (
        at("TrainingJobDefinition", "AlgorithmSpecification", "MetricDefinitions", 0, "Regex", value="loss"),
        "metric 'loss'",
    ),
    "unknown image": (
        at("TrainingJobDefinition", "AlgorithmSpecification", "TrainingImage", value="elsewhere/other:1"),
        "'other'",
    ),
    "min above max": (at(*FLOATS, 0, "MinValue", value="2"), "'rate'"),
    "no number": (at(*FLOATS, 0, "MinValue", value="one"), "'rate'"),
    "not finite": (at(*FLOATS, 0, "MaxValue", value="inf"), "'rate'"),
    "logarithm of zero": (at(*FLOATS, 0, "ScalingType", value="Logarithmic"), "'rate'"),
    "reverse logarithm of one": (at(*FLOATS, 0, "ScalingType", value="ReverseLogarithmic"), "'rate'"),
    "both static and tuned": (at("TrainingJobDefinition", "StaticHyperParameters", value={"rate": "1"}), "rate"),
    "twice": (
        at(*FLOATS, value=[{"Name": "rate", "MinValue": "0", "MaxValue": "1"}] * 2),
        "'rate'",
    ),
    "nothing to tune": (at(CONFIG, "ParameterRanges", value={}), "ParameterRanges"),
    "too many": (at(CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs", value=10_001), "10000"),
    "too many at once": (at(CONFIG, "ResourceLimits", "MaxParallelTrainingJobs", value=101), "100"),
    "no parent": (
        at(
            "WarmStartConfig",
            value={
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "nobody"}],
                "WarmStartType": "TransferLearning",
            },
        ),
        "'nobody'",
    ),
}


@pytest.mark.parametrize("rule", TUNING_RULES)
def test_a_tuning_job_that_breaks_a_rule_is_refused_and_the_field_named(endpoint: "Endpoint", rule: str) -> None:
    change, named = TUNING_RULES[rule]
    request = endpoint.tuning_request("refused", {})
    change(request)
    code, message = refused(lambda: endpoint.unchecked.create_hyper_parameter_tuning_job(**request))
    assert code == "ValidationException"
    assert named in message


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
def test_a_processing_job_that_breaks_a_rule_is_refused_and_the_field_named(endpoint: "Endpoint", rule: str) -> None:
    change, named = PROCESSING_RULES[rule]
    request = endpoint.processing_request("refused")
    change(request)
    code, message = refused(lambda: endpoint.unchecked.create_processing_job(**request))
    assert code == "ValidationException"
    assert named in message


def test_nothing_is_left_of_what_was_refused(endpoint: "Endpoint") -> None:
    request = endpoint.tuning_request("refused", {})
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {}
    refused(lambda: endpoint.sagemaker.create_hyper_parameter_tuning_job(**request))
    code, _ = refused(lambda: endpoint.status("tuning", "refused"))
    assert code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("training", "ValidationException"), ("processing", "ValidationException"), ("tuning", "ResourceNotFound")],
)
def test_an_unknown_job_is_answered_as_aws_does(endpoint: "Endpoint", kind: str, code: str) -> None:
    assert refused(lambda: endpoint.status(kind, "nobody"))[0] == code


def test_an_operation_that_is_not_there_is_named(endpoint: "Endpoint") -> None:
    code, message = refused(endpoint.sagemaker.list_notebook_instances)
    assert code == "UnsupportedOperation"
    assert "ListNotebookInstances" in message


@pytest.mark.parametrize("strategy", ["Grid", "Hyperband"])
def test_a_strategy_that_is_not_there_is_named(endpoint: "Endpoint", strategy: str) -> None:
    code, message = refused(lambda: endpoint.tune("strategic", Strategy=strategy))
    assert code == "UnsupportedOperation"
    assert strategy in message


def test_a_next_token_of_another_is_refused(endpoint: "Endpoint") -> None:
    code, message = refused(lambda: endpoint.sagemaker.list_training_jobs(NextToken="abc"))
    assert code == "ValidationException"
    assert "NextToken" in message


def test_tags_of_no_resource_are_refused(endpoint: "Endpoint") -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/nobody"
    assert refused(lambda: endpoint.sagemaker.list_tags(ResourceArn=arn))[0] == "ResourceNotFound"
