"""What SageMaker answers about training jobs → domain."""

from collections.abc import Mapping
from typing import Any

from ..domain import layout
from ..domain.reason import NO_SPOT_INSTANCE, explained
from ..domain.results.trial import Trial
from ..domain.search_space import LIMITS_OF_HEADS

# "Insufficient capacity error from EC2 while launching instances, retrying!"
NO_INSTANCE = "insufficient capacity"


def listed(job: Mapping[str, Any]) -> Trial:
    """A training job as the list of its tuning job tells of it."""
    name = job["TrainingJobName"]
    return Trial(
        name=name,
        status=job["TrainingJobStatus"],
        hyperparameters=tuned(job["TunedHyperParameters"]),
        objective=job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        started_at=job.get("TrainingStartTime"),
        ended_at=job.get("TrainingEndTime"),
        reason=explained(job.get("FailureReason")),
        stage=layout.stage_of(name),
    )


def reason_of(answer: Mapping[str, Any]) -> str | None:
    """Why a training job ended, or what it waits for."""
    return explained(answer.get("FailureReason")) or want_of_spot(answer) or wait_for_an_instance(answer)


def want_of_spot(answer: Mapping[str, Any]) -> str | None:
    """Why a training job stopped that got no spot instance in time; None of all others."""
    return f"{NO_SPOT_INSTANCE}." if answer.get("SecondaryStatus") == "MaxWaitTimeExceeded" else None


def wait_for_an_instance(answer: Mapping[str, Any]) -> str | None:
    """What SageMaker says of a training job that finds no instance for now; None of all others."""
    last = answer.get("SecondaryStatusTransitions", [])[-1:]
    message = next((str(transition.get("StatusMessage", "")) for transition in last), "")
    return message if answer["TrainingJobStatus"] == "InProgress" and NO_INSTANCE in message.lower() else None


def tuned(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """A trial's hyperparameters without those that SageMaker adds, and without the limits that all heads have."""
    return {
        name: value
        for name, value in sorted(hyperparameters.items())
        if not name.startswith("_") and name != LIMITS_OF_HEADS
    }
