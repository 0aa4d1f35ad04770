"""A tuning job with its trials, which are its training jobs, as SageMaker describes them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from .ranges import Range, Value, read_ranges, value_of

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
TRIAL_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
NO_NAME = "{} is not the name of a tuning job: that has 1 to 32 letters, digits and hyphens, and begins with no hyphen."
NO_JOB = "There is no tuning job {}{}. A run's has the run's id as its name, and that with -fine if it fine-tunes."
ODD = "SageMaker answered a trial's name that it does not allow, so its trials are not used."
AT_ONCE = 8


@dataclass(frozen=True)
class Trial:
    """One training job of a tuning job.

    status: the TrainingJobStatus. objective: the objective metric's last value, None without a finite one.
    hyperparameters: the tuned ones. seconds: from its start to its end, None until it has ended.
    billable_seconds, metrics: None and empty unless details were asked for.
    """

    name: str
    status: str
    objective_status: str
    objective: float | None
    hyperparameters: Mapping[str, Value]
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""
    definition: str = ""
    billable_seconds: int | None = None
    metrics: Mapping[str, float] | None = None

    @property
    def seconds(self) -> float | None:
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


@dataclass(frozen=True)
class Definition:
    """What a training job definition tunes, and by which metric."""

    objective: str
    ranges: Mapping[str, Range]
    regexes: Mapping[str, str]


@dataclass(frozen=True)
class TuningJob:
    """A tuning job. definitions: by name, the only one's is empty. best: the best trial's name, empty without one."""

    name: str
    status: str
    strategy: str
    maximize: bool
    created: datetime
    definitions: Mapping[str, Definition]
    trials: Sequence[Trial]
    best: str

    def definition_of(self, trial: Trial) -> Definition:
        """The definition that a trial is of."""
        return self.definitions.get(trial.definition) or next(iter(self.definitions.values()))

    @property
    def objectives(self) -> list[str]:
        """The names of the objective metrics: one for all definitions, as a rule."""
        return list(dict.fromkeys(definition.objective for definition in self.definitions.values()))

    @property
    def ranges(self) -> dict[str, Range]:
        """The ranges by name; where definitions differ in one, the first."""
        found: dict[str, Range] = {}
        for definition in self.definitions.values():
            for name, each in definition.ranges.items():
                found.setdefault(name, each)
        return found


def check_name(name: str) -> None:
    """Raises SeedbedError for what can't be a tuning job's name."""
    if not NAME.fullmatch(name):
        raise SeedbedError(NO_NAME.format(repr(name)))


def read(sagemaker: Any, name: str, where: str, *, details: bool) -> TuningJob:
    """A tuning job by its name, with all its trials in the order of their creation.

    where: a clause for the sentence about a job that is missing. details: describe each trial too, for all its metrics
    and billable seconds; that is a call a trial.
    Raises SeedbedError if there is none of this name.
    """
    try:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ResourceNotFound", "ResourceNotFoundException"}:
            raise SeedbedError(NO_JOB.format(name, where)) from error
        raise
    definitions = dict(_definitions(job))
    trials = list(_trials(sagemaker, job["HyperParameterTuningJobName"], definitions))
    if details:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            trials = list(pool.map(partial(_with_details, sagemaker), trials))
    config = job["HyperParameterTuningJobConfig"]
    objective = next(_objective(job, body) for body in _bodies(job))
    return TuningJob(
        name=job["HyperParameterTuningJobName"],
        status=job["HyperParameterTuningJobStatus"],
        strategy=config["Strategy"],
        maximize=objective["Type"] == "Maximize",
        created=job["CreationTime"],
        definitions=definitions,
        trials=trials,
        best=job.get("BestTrainingJob", {}).get("TrainingJobName", ""),
    )


def finite(value: float | None) -> float | None:
    """The value; None if it is not a number or infinite."""
    return value if value is not None and math.isfinite(value) else None


def _bodies(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return job.get("TrainingJobDefinitions") or [job["TrainingJobDefinition"]]


def _objective(job: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = (
        body.get("TuningObjective") or job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    )
    return found


def _definitions(job: Mapping[str, Any]) -> Iterator[tuple[str, Definition]]:
    several = len(_bodies(job)) > 1
    for body in _bodies(job):
        ranges = body.get("HyperParameterRanges") or job["HyperParameterTuningJobConfig"].get("ParameterRanges", {})
        regexes = body["AlgorithmSpecification"].get("MetricDefinitions", [])
        yield (
            body.get("DefinitionName", "") if several else "",
            Definition(
                _objective(job, body)["MetricName"],
                {each.name: each for each in read_ranges(ranges)},
                {item["Name"]: item["Regex"] for item in regexes},
            ),
        )


def _trials(sagemaker: Any, name: str, definitions: Mapping[str, Definition]) -> Iterator[Trial]:
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )
    for page in pages:
        for summary in page["TrainingJobSummaries"]:
            if not TRIAL_NAME.fullmatch(summary["TrainingJobName"]):
                raise SeedbedError(ODD)
            definition = summary.get("TrainingJobDefinitionName", "") if len(definitions) > 1 else ""
            yield _trial(summary, definition, definitions[definition].ranges if definition in definitions else {})


def _trial(summary: Mapping[str, Any], definition: str, ranges: Mapping[str, Range]) -> Trial:
    final = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    return Trial(
        name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        objective_status=summary.get("ObjectiveStatus", "Pending"),
        objective=finite(final.get("Value")),
        hyperparameters={
            name: value_of(text, ranges.get(name)) for name, text in sorted(summary["TunedHyperParameters"].items())
        },
        created=summary["CreationTime"],
        started=summary.get("TrainingStartTime"),
        ended=summary.get("TrainingEndTime"),
        reason=summary.get("FailureReason", ""),
        definition=definition,
    )


def _with_details(sagemaker: Any, trial: Trial) -> Trial:
    """The trial with its last metrics and billable seconds; as it is if its training job was deleted."""
    try:
        job = sagemaker.describe_training_job(TrainingJobName=trial.name)
    except ClientError as error:
        if "not found" in str(error).lower():
            return trial
        raise
    metrics = {item["MetricName"]: item["Value"] for item in job.get("FinalMetricDataList", [])}
    return replace(
        trial,
        billable_seconds=job.get("BillableTimeInSeconds"),
        metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
        reason=trial.reason or job.get("FailureReason", ""),
    )
