"""Tuning jobs of every strategy, of several definitions and by Autotune, through boto3."""

from collections import Counter
from typing import Any

import pytest

from tests.sagemaker.toy_endpoint import Endpoint

RATE = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]}
GRID = {
    "CategoricalParameterRanges": [
        {"Name": "rate", "Values": ["0.1", "0.3"]},
        {"Name": "epochs", "Values": ["1", "2"]},
    ]
}


def create(endpoint: "Endpoint", request: dict[str, Any]) -> None:
    endpoint.sagemaker.create_hyper_parameter_tuning_job(**request)


def two_definitions(endpoint: "Endpoint", name: str, jobs: int) -> dict[str, Any]:
    """One definition that tunes `rate` for the accuracy, one that tunes `epochs` for another metric."""
    request = endpoint.tuning_request(name, jobs=jobs)
    config, body = request["HyperParameterTuningJobConfig"], request.pop("TrainingJobDefinition")
    del config["HyperParameterTuningJobObjective"], config["ParameterRanges"]
    first = {**body, "DefinitionName": "by-rate", "HyperParameterRanges": RATE}
    first["TuningObjective"] = {"Type": "Minimize", "MetricName": "loss"}
    algorithm = {**body["AlgorithmSpecification"], "MetricDefinitions": [{"Name": "cost", "Regex": r"loss: ([0-9.]+)"}]}
    second = {**body, "DefinitionName": "by-epochs", "AlgorithmSpecification": algorithm}
    second["TuningObjective"] = {"Type": "Minimize", "MetricName": "cost"}
    second["StaticHyperParameters"] = {"rate": "0.3"}
    second["HyperParameterRanges"] = {"IntegerParameterRanges": [{"Name": "epochs", "MinValue": "1", "MaxValue": "3"}]}
    request["TrainingJobDefinitions"] = [first, second]
    return request


def test_grid_tries_everything_once(endpoint: "Endpoint") -> None:
    request = endpoint.tuning_request("grid", Strategy="Grid", ParameterRanges=GRID)
    del request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    create(endpoint, request)
    job = endpoint.ended("tuning", "grid")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    tried = [tuple(trial["TunedHyperParameters"].values()) for trial in endpoint.trials("grid")]
    assert sorted(tried) == [("0.1", "1"), ("0.1", "2"), ("0.3", "1"), ("0.3", "2")]
    assert job["BestTrainingJob"]["TunedHyperParameters"]["rate"] == "0.3"


def test_hyperband_stops_worse_jobs_at_their_rungs(endpoint: "Endpoint") -> None:
    endpoint.tune("band", {"epochs": "27", "pause": "0.1"}, jobs=8, parallel=4, Strategy="Hyperband")
    job = endpoint.ended("tuning", "band")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    trials = endpoint.trials("band")
    by_status = Counter(trial["TrainingJobStatus"] for trial in trials)
    assert set(by_status) == {"Completed", "Stopped"}
    assert {trial["ObjectiveStatus"] for trial in trials} == {"Succeeded"}
    values = {
        trial["TrainingJobName"]: trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials
    }
    best = max(values, key=lambda name: values[name])
    assert job["BestTrainingJob"]["TrainingJobName"] == best
    stopped = [trial["TrainingJobName"] for trial in trials if trial["TrainingJobStatus"] == "Stopped"]
    assert all("epoch 27" not in endpoint.log("training-job", name) for name in stopped)


def test_definitions_share_training_jobs_and_keep_their_objectives(endpoint: "Endpoint") -> None:
    create(endpoint, two_definitions(endpoint, "several", jobs=5))
    job = endpoint.ended("tuning", "several")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    trials = endpoint.trials("several")
    assert [trial["TrainingJobDefinitionName"] for trial in trials] == ["by-rate", "by-epochs"] * 2 + ["by-rate"]
    for trial in trials:
        tunes, metric = {"by-rate": ("rate", "loss"), "by-epochs": ("epochs", "cost")}[
            trial["TrainingJobDefinitionName"]
        ]
        assert list(trial["TunedHyperParameters"]) == [tunes]
        objective = trial["FinalHyperParameterTuningJobObjectiveMetric"]
        assert (objective["MetricName"], objective["Type"]) == (metric, "Minimize")
    lowest = min(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials)
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == lowest
    assert {item["DefinitionName"] for item in job["TrainingJobDefinitions"]} == {"by-rate", "by-epochs"}


def test_an_exhausted_definition_leaves_the_rest_to_the_others(endpoint: "Endpoint") -> None:
    request = two_definitions(endpoint, "uneven", jobs=6)
    request["TrainingJobDefinitions"][1]["HyperParameterRanges"]["IntegerParameterRanges"][0]["MaxValue"] = "1"
    create(endpoint, request)
    endpoint.ended("tuning", "uneven")
    shares = Counter(trial["TrainingJobDefinitionName"] for trial in endpoint.trials("uneven"))
    assert shares == {"by-rate": 5, "by-epochs": 1}


def test_autotune_fills_in_ranges_and_limits(endpoint: "Endpoint") -> None:
    hints = [
        {"Name": "rate", "ValueHint": "0.3"},
        {"Name": "epochs", "ValueHint": "1"},
        {"Name": "b", "ValueHint": "x"},
    ]
    request = endpoint.tuning_request("auto", parallel=1, ParameterRanges={"AutoParameters": hints})
    request["Autotune"] = {"Mode": "Enabled"}
    request["HyperParameterTuningJobConfig"]["TuningJobCompletionCriteria"] = {"TargetObjectiveMetricValue": 0.1}
    create(endpoint, request)
    job = endpoint.ended("tuning", "auto")
    assert job["Autotune"] == {"Mode": "Enabled"}
    assert job["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Auto"
    (trial,) = endpoint.trials("auto")
    given = endpoint.sagemaker.describe_training_job(TrainingJobName=trial["TrainingJobName"])["HyperParameters"]
    assert 0.15 <= float(given["rate"]) <= 0.6
    assert given["epochs"] in {"1", "2", "3", "4"}
    assert given["b"] == "x"


def test_training_jobs_get_the_preferred_instances(endpoint: "Endpoint") -> None:
    request = endpoint.tuning_request("flexible", {"epochs": "1"}, jobs=1, parallel=1)
    configs = [
        {"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": 7} for kind in ("ml.m5.xlarge", "ml.m5.large")
    ]
    definition = request["TrainingJobDefinition"]
    del definition["ResourceConfig"]
    definition["HyperParameterTuningResourceConfig"] = {"AllocationStrategy": "Prioritized", "InstanceConfigs": configs}
    definition["RetryStrategy"] = {"MaximumRetryAttempts": 2}
    create(endpoint, request)
    job = endpoint.ended("tuning", "flexible")
    child = endpoint.sagemaker.describe_training_job(TrainingJobName=job["BestTrainingJob"]["TrainingJobName"])
    assert child["ResourceConfig"] == configs[0]
    assert child["RetryStrategy"] == {"MaximumRetryAttempts": 2}


def test_a_deleted_tuning_job_is_gone_and_its_name_free(endpoint: "Endpoint") -> None:
    client = endpoint.sagemaker
    endpoint.tune("brief", {"epochs": "1"}, jobs=1, parallel=1)
    old = endpoint.ended("tuning", "brief")["BestTrainingJob"]["TrainingJobName"]
    client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="BRIEF")
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="brief")
    assert client.describe_training_job(TrainingJobName=old)["TrainingJobStatus"] == "Completed"
    endpoint.tune("brief", {"epochs": "1"}, jobs=1, parallel=1)
    new = endpoint.ended("tuning", "brief")
    assert new["BestTrainingJob"]["TrainingJobName"] != old
    assert new["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_running_tuning_job_cant_be_deleted(endpoint: "Endpoint") -> None:
    client = endpoint.sagemaker
    endpoint.tune("busy", {"epochs": "1000000", "pause": "0.1"}, jobs=1, parallel=1)
    with pytest.raises(client.exceptions.ClientError, match=r"ValidationException.*InProgress"):
        client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="busy")
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="busy")
    assert endpoint.ended("tuning", "busy")["HyperParameterTuningJobStatus"] == "Stopped"


def test_tags_can_be_taken_away(endpoint: "Endpoint") -> None:
    client = endpoint.sagemaker
    tags = [{"Key": key, "Value": "1"} for key in "abc"]
    endpoint.tune("tagged-tuning", {"epochs": "1"}, jobs=1, parallel=1, Tags=tags)
    arn = endpoint.ended("tuning", "tagged-tuning")["HyperParameterTuningJobArn"]
    client.delete_tags(ResourceArn=arn, TagKeys=["a", "c", "never there"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "1"}]
    child = endpoint.trials("tagged-tuning")[0]["TrainingJobArn"]
    assert client.list_tags(ResourceArn=child)["Tags"] == tags
