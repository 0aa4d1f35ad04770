"""A SageMaker job as the job manager sees it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job is; SageMaker's passing states count as in progress."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"


@dataclass(frozen=True)
class Job:
    """A processing or tuning job: its status, when and why it ended, billable seconds, a tuning job's best trial.

    One in progress may have a reason too: why it waits.
    """

    name: str
    status: JobStatus
    reason: str | None = None
    seconds: float = 0.0
    best_trial: str | None = None
    ended_at: datetime | None = None
