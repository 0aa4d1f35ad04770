"""Managed Spot training: instances that are taken away and come back, here because somebody asks for it.

POST /_seedbed/sagemaker/interrupt {"TrainingJobName": "…", "CapacityInSeconds": 0}
"""

import math
import time
from dataclasses import dataclass

from ..errors import Invalid
from ..jobs import Workshop
from ..kinds import TRAINING, Body
from ..records.transitions import deadline_of

PATH = "/_seedbed/sagemaker/interrupt"
DAY = 86_400
LONGEST = 28 * DAY


def interrupt(shop: Workshop, request: Body) -> Body:
    """Takes a running job's instance away: SIGTERM, then SIGKILL; another one comes after `CapacityInSeconds`.

    Raises Invalid where the job isn't managed Spot training or doesn't run.
    """
    name, seconds = request.get("TrainingJobName"), request.get("CapacityInSeconds", 0)
    if not isinstance(name, str) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:
        raise Invalid("Give a TrainingJobName and, if you like, CapacityInSeconds: how long no instance is to be had.")
    body = shop.ledger.find(TRAINING, name).body
    if not body.get("EnableManagedSpotTraining"):
        raise Invalid(f"{name} is no Spot job: only one with EnableManagedSpotTraining can be interrupted.")
    if body["SecondaryStatus"] not in ("Downloading", "Training"):
        raise Invalid(f"{name} can't be interrupted now: its secondary status is {body['SecondaryStatus']}.")
    shop.ledger.store.remember(TRAINING, name, capacity_at=time.monotonic() + seconds)
    shop.running.ask_stop(TRAINING, name, "interrupted")
    return {"TrainingJobArn": body["TrainingJobArn"]}


@dataclass
class Clock:
    """How long a job may still run and wait, by elapsed time: `deadline` and `since` are of `time.monotonic`.

    used: seconds on instances in its earlier attempts. `since` is when the present attempt got its instance.
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

    def forget(self) -> None:
        """The present attempt does not count."""
        self.since = None

    def pause(self) -> float:
        """The instance is gone; all seconds used so far."""
        self.used = self.seconds_used()
        self.since = None
        return self.used

    def seconds_used(self) -> float:
        return self.used + (0.0 if self.since is None else time.monotonic() - self.since)

    def seconds_to_run(self) -> float:
        return min(self.runtime - self.used, self.seconds_to_wait())

    def seconds_to_wait(self) -> float:
        return min(self.deadline - time.monotonic(), LONGEST)

    def waited_too_long(self) -> bool:
        return time.monotonic() >= self.deadline
