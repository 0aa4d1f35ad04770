"""A SageMaker job as the job manager sees it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SPOT_WAIT_SECONDS = 3600
"""How long a training job waits for a spot instance at most."""


class JobStatus(StrEnum):
    """A job's status; SageMaker's transitional states, such as Stopping, count as in progress."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"


@dataclass(frozen=True)
class Job:
    """A processing, tuning or training job. `seconds` are billable, summed over its instances; `best_trial` is a tuning
    job's.

    `created_at` is when it was asked for, `instance_type` what it runs on. `reason` is why a job ended, or what a job
    in progress waits for.
    """

    name: str
    status: JobStatus
    reason: str | None = None
    seconds: float = 0.0
    best_trial: str | None = None
    ended_at: datetime | None = None
    created_at: datetime | None = None
    instance_type: str | None = None

    def reached(self, time_limit: int) -> bool:
        """Whether it was stopped, and as late as only its time limit, in seconds, stops it."""
        if self.status is not JobStatus.STOPPED or self.created_at is None or self.ended_at is None:
            return False
        return (self.ended_at - self.created_at).total_seconds() >= time_limit


@dataclass(frozen=True)
class Progress:
    """How far a processing job is: `done` of `total` images."""

    done: int
    total: int
