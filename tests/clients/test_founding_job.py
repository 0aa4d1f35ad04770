"""The founding article's tuning job, created through boto3 as in the article."""

import io
import json
import tarfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

CONFIG: Any = {
    "ParameterRanges": {
        "CategoricalParameterRanges": [],
        "ContinuousParameterRanges": [{"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.0003"}],
        "IntegerParameterRanges": [
            {"Name": "epochs", "MinValue": "150", "MaxValue": "300"},
            {"Name": "batch_size", "MinValue": "24", "MaxValue": "36"},
        ],
    },
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 1},
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": {"MetricName": "acc", "Type": "Maximize"},
}


def channel(name: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://bench/{name}",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


DEFINITION: Any = {
    "AlgorithmSpecification": {
        "TrainingImage": "000000000000.dkr.ecr.us-east-1.amazonaws.com/article:latest",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "acc", "Regex": r"accuracy: ([0-9\.]+)"}],
    },
    "InputDataConfig": [channel("train"), channel("test")],
    "OutputDataConfig": {"S3OutputPath": "s3://bench/founding"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 50},
    "RoleArn": "arn:aws:iam::000000000000:role/SageMakerRole",
    "StoppingCondition": {"MaxRuntimeInSeconds": 43200},
}


@pytest.fixture(scope="module")
def job(endpoint: "Endpoint") -> Any:
    client = boto3.client("sagemaker")
    arn = client.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="seedling-keras-HPO",
        HyperParameterTuningJobConfig=CONFIG,
        TrainingJobDefinition=DEFINITION,
    )["HyperParameterTuningJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/seedling-keras-hpo"
    return endpoint.ended("tuning", "seedling-keras-HPO")


def test_the_founding_job_completes_with_every_field(job: dict[str, Any]) -> None:
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    expected = dict.fromkeys(("InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    assert job["TrainingJobStatusCounters"] == {"Completed": 8, **expected}
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 8, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] <= job["HyperParameterTuningEndTime"] <= job["LastModifiedTime"]
    assert job["HyperParameterTuningJobConfig"]["Strategy"] == "Bayesian"
    assert job["TrainingJobDefinition"]["RoleArn"] == DEFINITION["RoleArn"]
    assert "FailureReason" not in job


def test_its_training_jobs_run_one_at_a_time_within_the_ranges(endpoint: "Endpoint", job: dict[str, Any]) -> None:
    trials = sorted(endpoint.trials("seedling-keras-HPO"), key=lambda trial: trial["CreationTime"])
    assert len(trials) == 8
    for number, trial in enumerate(trials, 1):
        assert endpoint.matches(rf"seedling-keras-HPO-{number:03d}-[0-9a-f]{{8}}", trial["TrainingJobName"])
        tuned = trial["TunedHyperParameters"]
        assert set(tuned) == {"learning_rate", "epochs", "batch_size"}
        assert 0.0001 <= float(tuned["learning_rate"]) <= 0.0003
        assert 150 <= int(tuned["epochs"]) <= 300
        assert 24 <= int(tuned["batch_size"]) <= 36
        assert trial["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "acc"
        assert trial["ObjectiveStatus"] == "Succeeded"
    for earlier, later in pairwise(trials):
        assert earlier["TrainingEndTime"] <= later["TrainingStartTime"]


def test_the_best_training_job_has_the_highest_accuracy_and_a_model(endpoint: "Endpoint", job: dict[str, Any]) -> None:
    def objective(trial: dict[str, Any]) -> float:
        return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])

    best = job["BestTrainingJob"]
    assert objective(best) == max(objective(trial) for trial in endpoint.trials("seedling-keras-HPO"))
    described = endpoint.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert described["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert described["HyperParameters"]["_tuning_objective_metric"] == "acc"
    assert {metric["MetricName"] for metric in described["FinalMetricDataList"]} == {"acc", "ObjectiveMetric"}
    key = described["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://bench/")
    with tarfile.open(fileobj=io.BytesIO(endpoint.read(key))) as archive:
        weights = archive.extractfile("weights.json")
        assert weights is not None
        assert json.loads(weights.read()) == described["HyperParameters"]
