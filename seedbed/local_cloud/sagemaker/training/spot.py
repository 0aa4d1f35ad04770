"""Managed Spot training: a request takes a job's instance away and, later, gives it another.

POST /_seedbed/sagemaker/interrupt {"TrainingJobName": "…", "CapacityInSeconds": 0}
"""

import math
import time
from dataclasses import dataclass

from ..defaults import DAY
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import TRAINING, Body
from ..records.transitions import deadline_of

PATH = "/_seedbed/sagemaker/interrupt"
MAX_SECONDS = 28 * DAY


def interrupt(services: JobServices, request: Body) -> Body:
    """Takes a running job's instance away: SIGTERM, then SIGKILL; it gets another after `CapacityInSeconds`.

    Raises Invalid if the job doesn't use managed Spot training or isn't running.
    """
    name, seconds = request.get("TrainingJobName"), request.get("CapacityInSeconds", 0)
    if not isinstance(name, str) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SECONDS:
        raise Invalid(
            "Give a TrainingJobName and, if you like, CapacityInSeconds: for how long there is no other instance."
        )
    body = services.ledger.find(TRAINING, name).body
    if not body.get("EnableManagedSpotTraining"):
        raise Invalid(f"{name} is not a Spot job: only a job with EnableManagedSpotTraining can be interrupted.")
    if body["SecondaryStatus"] not in ("Downloading", "Training"):
        raise Invalid(f"{name} can't be interrupted now: its secondary status is {body['SecondaryStatus']}.")
    services.ledger.store.remember(TRAINING, name, capacity_at=time.monotonic() + seconds)
    services.job_threads.request_stop(TRAINING, name, "interrupted")
    return {"TrainingJobArn": body["TrainingJobArn"]}


@dataclass
class Clock:
    """How long a job may still run and wait; `deadline` and `since` are times of `time.monotonic`.

    runtime: seconds that it may run. used: seconds on instances in its earlier attempts. since: when the present
    attempt got its instance.
    """

    runtime: float
    deadline: float
    used: float = 0.0
    since: float | None = None

    @classmethod
    def of(cls, body: Body, used: float) -> "Clock":
        condition = body.get("StoppingCondition", {})
        wait = condition.get("MaxWaitTimeInSeconds") if body.get("EnableManagedSpotTraining") else None
        deadline = deadline_of(body["CreationTime"], wait) if wait else math.inf
        return cls(condition.get("MaxRuntimeInSeconds", DAY), deadline, used)

    def start(self) -> None:
        self.since = time.monotonic()

    def discard(self) -> None:
        """Doesn't count the present attempt."""
        self.since = None

    def pause(self) -> float:
        """Ends the present attempt and returns all seconds used so far."""
        self.used = self.seconds_used()
        self.since = None
        return self.used

    def seconds_used(self) -> float:
        return self.used + (0.0 if self.since is None else time.monotonic() - self.since)

    def seconds_to_run(self) -> float:
        return min(self.runtime - self.used, self.seconds_to_wait())

    def seconds_to_wait(self) -> float:
        return min(self.deadline - time.monotonic(), MAX_SECONDS)

    def waited_too_long(self) -> bool:
        return time.monotonic() >= self.deadline
