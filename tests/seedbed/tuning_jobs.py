"""SageMaker's answers about a tuning job, prepared, and logs of its trials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from seedbed.trials import tuning_job
from seedbed.trials.tuning_job import TuningJob
from seedbed.watch.logs import Line

BEGAN = datetime(2026, 3, 20, 9, tzinfo=UTC)
RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "rate", "MinValue": "0.0001", "MaxValue": "0.1", "ScalingType": "Logarithmic"},
        {"Name": "decay", "MinValue": "0.9", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "1", "MaxValue": "50", "ScalingType": "Linear"}],
    "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["adam", '"sgd"']}],
}
TUNED = {"rate": "0.001", "decay": "0.99", "epochs": "12", "optimizer": "adam"}
ABC = "tuned"


def trial(number: int, status: str = "Completed", objective: float | None = None, **more: Any) -> dict[str, Any]:
    """A training job's summary; one that has ended took 90 s."""
    ended = {"TrainingEndTime": BEGAN + timedelta(seconds=120)} if status != "InProgress" else {}
    final = {"Type": "Maximize", "MetricName": "accuracy", "Value": objective}
    return {
        "TrainingJobName": f"{ABC}-{number:03d}-0a1b2c3d",
        "CreationTime": BEGAN,
        "TrainingStartTime": BEGAN + timedelta(seconds=30),
        "TrainingJobStatus": status,
        "TunedHyperParameters": TUNED,
        "ObjectiveStatus": "Failed" if objective is None else "Succeeded",
        **({"FinalHyperParameterTuningJobObjectiveMetric": final} if objective is not None else {}),
        **ended,
        **more,
    }


@dataclass
class FakeSageMaker:
    """A client that knows one tuning job of these trials."""

    trials: list[dict[str, Any]]
    job: Mapping[str, Any] = field(default_factory=dict)

    def describe_hyper_parameter_tuning_job(self, **asked: str) -> dict[str, Any]:
        if asked["HyperParameterTuningJobName"] != ABC:
            raise ClientError({"Error": {"Code": "ResourceNotFound", "Message": "none"}}, "Describe")
        config = {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ParameterRanges": RANGES,
        }
        regexes = [{"Name": "accuracy", "Regex": r"accuracy: (\S+)"}, {"Name": "loss", "Regex": r"loss: (\S+)"}]
        return {
            "HyperParameterTuningJobName": ABC,
            "HyperParameterTuningJobStatus": "Completed",
            "CreationTime": BEGAN,
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": {"AlgorithmSpecification": {"MetricDefinitions": regexes}},
            **self.job,
        }

    def get_paginator(self, operation: str) -> "FakeSageMaker":
        assert operation == "list_training_jobs_for_hyper_parameter_tuning_job"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        for found in self.trials:
            yield {"TrainingJobSummaries": [found]}

    def describe_training_job(self, **asked: str) -> dict[str, Any]:
        metrics = [{"MetricName": "loss", "Value": 0.25}, {"MetricName": "odd", "Value": float("nan")}]
        return {"FinalMetricDataList": metrics, "BillableTimeInSeconds": 91}

    def read(self, *, details: bool = True) -> TuningJob:
        """The tuning job as `seedbed trials` reads it."""
        return tuning_job.read(self, ABC, "", details=details)


@dataclass(frozen=True)
class FakeLogs:
    """Logs by trial."""

    lines: Mapping[str, list[str]]

    def jobs(self, run_id: str) -> list[str]:
        return [name for name in self.lines if name.startswith(f"{run_id}-")]

    def new_lines(self, job: str) -> Iterator[Line]:
        for second, text in enumerate(self.lines[job]):
            yield Line(job, text, int((BEGAN.timestamp() + second) * 1000))
