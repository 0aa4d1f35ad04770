"""Describe answers as AWS does: what a request leaves out is filled in."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seedbed.local_cloud.sagemaker import defaults
from tests.sagemaker.toy_endpoint import Endpoint, definition, processing_request, tuning_request

TIMES = {"CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime"}
# The fields of a public answer of DescribeTrainingJob, for a job without Debugger and Profiler.
ANSWERED = TIMES | {
    "TrainingJobName",
    "TrainingJobArn",
    "ModelArtifacts",
    "TrainingJobStatus",
    "SecondaryStatus",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "SecondaryStatusTransitions",
    "FinalMetricDataList",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "TrainingTimeInSeconds",
    "BillableTimeInSeconds",
    "ProfilingStatus",
}
CHANNEL = {
    "ChannelName": "seeds",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}},
}
FILLED_CHANNEL = {
    "ChannelName": "seeds",
    "DataSource": {
        "S3DataSource": {
            "S3DataType": "S3Prefix",
            "S3Uri": "s3://bench/in/",
            "S3DataDistributionType": "FullyReplicated",
        }
    },
    "CompressionType": "None",
    "RecordWrapperType": "None",
}
SWITCHES = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining")


def machine() -> dict[str, Any]:
    resources: dict[str, Any] = definition()["ResourceConfig"]
    return resources


def described(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_training_job_has_the_fields_and_messages_of_a_public_answer(endpoint: Endpoint) -> None:
    endpoint.train("answered", InputDataConfig=[CHANNEL])
    job = described(endpoint.ended("training", "answered"))
    assert job.keys() == ANSWERED
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is False
    assert job["InputDataConfig"] == [FILLED_CHANNEL]
    assert job["OutputDataConfig"] == {
        "KmsKeyId": "",
        "S3OutputPath": "s3://bench/out/",
        "CompressionType": "GZIP",
    }
    assert [job[name] for name in SWITCHES] == [False, False, False]
    assert job["ProfilingStatus"] == "Disabled"
    assert [(step["Status"], step["StatusMessage"]) for step in job["SecondaryStatusTransitions"]] == [
        ("Starting", "Preparing the instances for training"),
        ("Downloading", "Downloading input data"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]


def test_what_a_request_leaves_out_altogether_is_described_as_empty(endpoint: Endpoint) -> None:
    request = {**definition(), "TrainingJobName": "bare", "StoppingCondition": {}}
    endpoint.sagemaker.create_training_job(**request)
    job = endpoint.ended("training", "bare")
    assert "HyperParameters" not in job
    assert job["InputDataConfig"] == []
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


def test_a_profiler_and_a_debugger_have_their_defaults(endpoint: Endpoint) -> None:
    place = {"S3OutputPath": "s3://bench/out"}
    endpoint.train("profiled", DebugHookConfig=place, ProfilerConfig=place)
    job = endpoint.ended("training", "profiled")
    assert job["DebugHookConfig"] == {**place, "CollectionConfigurations": []}
    assert job["ProfilerConfig"] == {**place, "DisableProfiler": False, "ProfilingIntervalInMilliseconds": 500}
    assert job["ProfilingStatus"] == "Enabled"


def test_a_job_that_takes_too_long_passes_through_stopping(endpoint: Endpoint) -> None:
    endpoint.train("long", {"epochs": "1000", "pause": "0.1"}, StoppingCondition={"MaxRuntimeInSeconds": 1})
    steps = endpoint.ended("training", "long")["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps][2:] == ["Training", "Stopping", "Uploading", "MaxRuntimeExceeded"]
    assert steps[-1]["StatusMessage"] == "Training job runtime exceeded MaxRuntimeInSeconds provided"


def test_a_tuning_job_has_what_both_sdks_attach_to(endpoint: Endpoint) -> None:
    request = tuning_request("attached", jobs=1, parallel=1)
    request["TrainingJobDefinition"]["InputDataConfig"] = [CHANNEL]
    del request["TrainingJobDefinition"]["StaticHyperParameters"]
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    job = endpoint.ended("tuning", "attached")
    config, given = job["HyperParameterTuningJobConfig"], job["TrainingJobDefinition"]
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["ParameterRanges"] == {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1", "ScalingType": "Auto"}],
        "CategoricalParameterRanges": [],
    }
    assert given["StaticHyperParameters"] == {"_tuning_objective_metric": "accuracy"}
    assert given["InputDataConfig"][0]["CompressionType"] == "None"
    assert [given[name] for name in SWITCHES] == [False, False, False]
    metrics = given["AlgorithmSpecification"]["MetricDefinitions"]
    assert metrics[-1] == {"Name": "ObjectiveMetric", "Regex": r"accuracy: ([0-9.]+)"}
    child = described(endpoint.described("training", job["BestTrainingJob"]["TrainingJobName"]))
    assert child.keys() == ANSWERED | {"TuningJobArn"}
    reported = [metric["MetricName"] for metric in child["FinalMetricDataList"]]
    assert sorted(reported) == ["ObjectiveMetric", "accuracy", "loss"], "each once"


def test_a_tuning_jobs_own_resources_are_described_as_a_definitions_too(endpoint: Endpoint) -> None:
    request = tuning_request("resources", jobs=1, parallel=1)
    given = request["TrainingJobDefinition"]
    given["HyperParameterTuningResourceConfig"] = given.pop("ResourceConfig")
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    described = endpoint.ended("tuning", "resources")["TrainingJobDefinition"]
    assert described["ResourceConfig"] == described["HyperParameterTuningResourceConfig"] == machine()


def test_a_described_tuning_job_can_be_asked_for_again(endpoint: Endpoint) -> None:
    endpoint.tune("first-time", jobs=1, parallel=1)
    job = endpoint.ended("tuning", "first-time")
    endpoint.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="again",
        HyperParameterTuningJobConfig=job["HyperParameterTuningJobConfig"],
        TrainingJobDefinition=job["TrainingJobDefinition"],
    )
    again = endpoint.ended("tuning", "again")
    assert again["TrainingJobDefinition"] == job["TrainingJobDefinition"]
    assert again["HyperParameterTuningJobStatus"] == "Completed"


def test_autotune_goes_before_the_defaults(endpoint: Endpoint) -> None:
    request = tuning_request("auto-first", jobs=1, parallel=1)
    request["Autotune"] = {"Mode": "Enabled"}
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)
    config = endpoint.ended("tuning", "auto-first")["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Auto"


def test_a_processing_job_has_its_defaults(endpoint: Endpoint) -> None:
    request = processing_request("processed")
    del request["ProcessingInputs"][0]["S3Input"]["S3InputMode"]
    endpoint.sagemaker.create_processing_job(**request)
    job = endpoint.ended("processing", "processed")
    assert job["ProcessingInputs"][0]["AppManaged"] is False
    assert job["ProcessingInputs"][0]["S3Input"] == {
        "S3Uri": "s3://bench/in/",
        "S3DataType": "S3Prefix",
        "LocalPath": "/opt/ml/processing/input/data",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    assert job["ProcessingOutputConfig"]["Outputs"][0]["AppManaged"] is False
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


MISSING = {
    "s3://nowhere/in": "The specified bucket does not exist",
    "s3://bench/empty/": '"s3:ListBucket" permissions on bucket "bench".',
    "https://bench/in": "is not an s3://bucket/key",
}


@pytest.mark.parametrize("uri", MISSING)
@pytest.mark.parametrize("kind", ["training", "tuning"])
def test_an_input_that_is_not_there_is_refused_at_create(endpoint: Endpoint, kind: str, uri: str) -> None:
    channel = {"ChannelName": "x", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
    changed = {**definition(), "InputDataConfig": [channel]}
    create = partial(endpoint.train, "inputless", **changed)
    if kind == "tuning":
        create = partial(endpoint.tune, "inputless", TrainingJobDefinition=changed)
    with pytest.raises(ClientError, match="ValidationException") as caught:
        create()
    message = caught.value.response["Error"]["Message"]
    assert message.endswith(MISSING[uri] + ("." if uri.startswith("https") else ""))
    if uri.startswith("s3"):
        assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure')
        assert "exists in the selected region (us-east-1)" in message


def test_no_default_overwrites_what_was_given() -> None:
    request = {"OutputDataConfig": {"KmsKeyId": "key"}, "EnableNetworkIsolation": True}
    defaults.fill_training_job(request)
    assert request["OutputDataConfig"] == {"KmsKeyId": "key", "CompressionType": "GZIP"}
    assert request["EnableNetworkIsolation"] is True
