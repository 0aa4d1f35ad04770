"""Hyperparameter tuning jobs through boto3."""

from itertools import pairwise

import pytest

from tests.sagemaker.toy_endpoint import Endpoint, definition

UNUSED = {"ContinuousParameterRanges": [{"Name": "unused", "MinValue": "0", "MaxValue": "1"}]}


def test_a_tuning_job_tries_its_ranges_and_names_the_best(endpoint: "Endpoint") -> None:
    endpoint.tune("tune", jobs=6, Strategy="Bayesian")
    job = endpoint.ended("tuning", "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 6
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 6, "Pending": 0, "Failed": 0}
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    trials = endpoint.trials("tune", SortBy="FinalObjectiveMetricValue", SortOrder="Descending", MaxResults=4)
    values = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
    assert len(values) == 6
    assert all(better >= worse for better, worse in pairwise(values))
    assert job["BestTrainingJob"] == trials[0]
    rate = float(trials[0]["TunedHyperParameters"]["rate"])
    assert values[0] == pytest.approx(1 - (rate - 0.3) ** 2, abs=1e-6)


def test_training_jobs_have_the_names_and_fields_of_amt(endpoint: "Endpoint") -> None:
    ranges = {
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.0001", "MaxValue": "0.0003", "ScalingType": "Logarithmic"},
            {"Name": "keep", "MinValue": "0.5", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
        ],
        "IntegerParameterRanges": [{"Name": "batch_size", "MinValue": "24", "MaxValue": "36"}],
        "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["adam", "sgd"]}],
    }
    tags = [{"Key": "run", "Value": "7"}]
    endpoint.tune("named", {"epochs": "1"}, jobs=2, parallel=1, ParameterRanges=ranges, Tags=tags)
    endpoint.ended("tuning", "named")
    trial = endpoint.trials("named")[1]
    assert endpoint.matches(r"named-002-[0-9a-f]{8}", trial["TrainingJobName"])
    job = endpoint.sagemaker.describe_training_job(TrainingJobName=trial["TrainingJobName"])
    given = job["HyperParameters"]
    assert given == {"epochs": "1", "_tuning_objective_metric": "accuracy", **trial["TunedHyperParameters"]}
    assert 0.0001 <= float(given["rate"]) <= 0.0003
    assert 0.5 <= float(given["keep"]) <= 0.999
    assert given["batch_size"] in {str(number) for number in range(24, 37)}
    assert given["optimizer"] in {"adam", "sgd"}
    assert job["TuningJobArn"].endswith(":hyper-parameter-tuning-job/named")
    assert endpoint.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    assert {item["MetricName"] for item in job["FinalMetricDataList"]} == {"accuracy", "loss", "ObjectiveMetric"}


def test_the_same_seed_tries_the_same_values(endpoint: "Endpoint") -> None:
    for name in ("seed-a", "seed-b"):
        endpoint.tune(name, jobs=3, parallel=1, Strategy="Bayesian")
        endpoint.ended("tuning", name)
    first, second = (
        [trial["TunedHyperParameters"] for trial in endpoint.trials(name)] for name in ("seed-a", "seed-b")
    )
    assert first == second


def test_as_many_training_jobs_run_in_parallel_as_allowed(endpoint: "Endpoint") -> None:
    record = endpoint.data_dir / "running.txt"
    endpoint.tune("parallel", {"running": str(record), **endpoint.held()}, jobs=7, parallel=3)
    endpoint.eventually(lambda: record.exists() and record.read_text().count("start") == 3)
    endpoint.let_go()
    endpoint.ended("tuning", "parallel")
    running, most = 0, 0
    for word in record.read_text().split():
        running += 1 if word == "start" else -1
        most = max(most, running)
    assert (running, most) == (0, 3)


def test_early_stopping_ends_hopeless_jobs(endpoint: "Endpoint") -> None:
    ranges = {**UNUSED, "CategoricalParameterRanges": [{"Name": "rate", "Values": ["0.3", "0.95"]}]}
    static = {"epochs": "15", "pause": "0.08"}
    endpoint.tune("early", static, jobs=8, parallel=1, ParameterRanges=ranges, TrainingJobEarlyStoppingType="Auto")
    job = endpoint.ended("tuning", "early")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    stopped = [trial for trial in endpoint.trials("early") if trial["TrainingJobStatus"] == "Stopped"]
    assert stopped
    assert {trial["TunedHyperParameters"]["rate"] for trial in stopped} == {"0.95"}
    assert {trial["ObjectiveStatus"] for trial in stopped} == {"Succeeded"}
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(stopped)
    assert "epoch 15" not in endpoint.log("training-job", stopped[0]["TrainingJobName"])


def test_stopping_a_tuning_job_stops_its_training_jobs(endpoint: "Endpoint") -> None:
    endpoint.tune("halt", {"epochs": "1000000", "pause": "0.1"}, jobs=10)
    endpoint.eventually(lambda: endpoint.processes("halt-002-"))
    endpoint.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="halt")
    job = endpoint.ended("tuning", "halt")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == len(endpoint.trials("halt")) == 2
    assert endpoint.processes("halt-0") == []


def test_a_tuning_job_fails_early_when_all_its_training_jobs_fail(endpoint: "Endpoint") -> None:
    endpoint.tune("doomed", {"fail": "bad seed"}, jobs=50)
    job = endpoint.ended("tuning", "doomed")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "bad seed" in job["FailureReason"]
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] < 10
    assert "BestTrainingJob" not in job


def test_some_failures_dont_hurt(endpoint: "Endpoint") -> None:
    ranges = {**UNUSED, "CategoricalParameterRanges": [{"Name": "epochs", "Values": ["1", "not a number"]}]}
    endpoint.tune("patchy", jobs=6, ParameterRanges=ranges)
    job = endpoint.ended("tuning", "patchy")
    counters = job["TrainingJobStatusCounters"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert counters["Completed"] > 0
    assert counters["NonRetryableError"] > 0
    assert job["BestTrainingJob"]["TunedHyperParameters"]["epochs"] == "1"
    best_first = endpoint.trials("patchy", SortBy="FinalObjectiveMetricValue")
    assert len(best_first) == counters["Completed"], "a job without an objective is not listed by it"


def test_an_objective_never_reported_fails_the_tuning_job(endpoint: "Endpoint") -> None:
    endpoint.tune("mute", {"epochs": "0"}, jobs=2)
    job = endpoint.ended("tuning", "mute")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "objective metric 'accuracy'" in job["FailureReason"]


def test_an_objective_that_is_not_a_number_is_named_with_its_text(endpoint: "Endpoint") -> None:
    trainer = {"StaticHyperParameters": {"write": r"accuracy: 0.8.5\n", "epochs": "0"}, **definition()}
    endpoint.tune("comma", jobs=1, parallel=1, TrainingJobDefinition=trainer)
    sentence = "Metric 'accuracy' matched '0.8.5', which is not a finite number such as 0.875, -3 or 1e-05."
    reason = endpoint.ended("tuning", "comma")["FailureReason"]
    assert reason == f"No training job reported the objective metric 'accuracy'. {sentence}"
    [trial] = endpoint.trials("comma")
    assert (trial["TrainingJobStatus"], trial["ObjectiveStatus"]) == ("Completed", "Failed")
    assert trial["FailureReason"] == sentence


def test_reaching_the_target_completes_the_tuning_job(endpoint: "Endpoint") -> None:
    criteria = {"TargetObjectiveMetricValue": 0.1}
    endpoint.tune("enough", jobs=30, parallel=1, TuningJobCompletionCriteria=criteria)
    job = endpoint.ended("tuning", "enough")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_warm_start_learns_from_its_parents(endpoint: "Endpoint") -> None:
    endpoint.tune("parent", jobs=12, parallel=4, Strategy="Bayesian")
    parent = endpoint.ended("tuning", "parent")
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    endpoint.tune("child", jobs=3, parallel=1, Strategy="Bayesian", WarmStartConfig=warm)
    endpoint.tune("orphan", jobs=3, parallel=1, Strategy="Bayesian")
    child, orphan = endpoint.ended("tuning", "child"), endpoint.ended("tuning", "orphan")

    def distance(name: str) -> float:
        return sum(abs(float(trial["TunedHyperParameters"]["rate"]) - 0.3) for trial in endpoint.trials(name))

    assert distance("child") < distance("orphan")
    both = [parent["BestTrainingJob"], child["BestTrainingJob"]]
    best = max(both, key=lambda job: float(job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]))
    overall = child["OverallBestTrainingJob"]
    assert overall["TrainingJobName"] == best["TrainingJobName"]
    assert overall["TuningJobName"] in {"parent", "child"}
    assert "OverallBestTrainingJob" not in orphan


def test_tuning_jobs_are_listed_with_their_counters(endpoint: "Endpoint") -> None:
    endpoint.tune("listed", jobs=2)
    endpoint.ended("tuning", "listed")
    found = endpoint.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="listed")[
        "HyperParameterTuningJobSummaries"
    ]
    assert [(job["HyperParameterTuningJobName"], job["Strategy"]) for job in found] == [("listed", "Random")]
    assert found[0]["TrainingJobStatusCounters"]["Completed"] == 2
