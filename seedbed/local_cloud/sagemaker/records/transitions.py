"""A training job's status transitions and end, and the times in records."""

import math
import time

from ..errors import REASON_LENGTH
from ..kinds import Body

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Restarting": "The job's instance was lost; it runs again, from its checkpoint if it has one",
    "Interrupted": "The Spot instance was taken away; the job waits for another",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "The job did not complete within its MaxWaitTimeInSeconds",
}


def now() -> float:
    """Epoch seconds, to the millisecond as SageMaker gives them."""
    return round(time.time(), 3)


def deadline_of(created: float, seconds: float) -> float:
    """The time of `time.monotonic` at which so many seconds will have elapsed since a job's creation.

    created: epoch seconds. If that is in the future, because the clock was set back, the time begins now.
    """
    return time.monotonic() + seconds - max(0.0, time.time() - created)


def enter(body: Body, secondary: str) -> None:
    """Enters a training job's next secondary status: ends the current transition and adds another."""
    stamp = now()
    transitions = body.setdefault("SecondaryStatusTransitions", [])
    if transitions:
        last = transitions[-1]
        stamp = max(stamp, last.get("EndTime", last["StartTime"]))
        last.setdefault("EndTime", stamp)
    transition = {"Status": secondary, "StartTime": stamp, "StatusMessage": MESSAGES[secondary]}
    if secondary in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        transition["EndTime"] = stamp
    transitions.append(transition)
    body["SecondaryStatus"] = secondary


def end(body: Body, status: str, secondary: str, reason: str, used: float | None = None) -> None:
    """Enters a training job's last state.

    used: its seconds on instances, if known. A Spot job is billed for these; its training time also includes the waits
    for another instance.
    """
    stamp = now()
    started = body.get("TrainingStartTime")
    body.update(TrainingJobStatus=status, TrainingEndTime=stamp)
    if started is not None:
        seconds = max(1, math.ceil(stamp - started), math.ceil(used or 0.0))
        billable = seconds
        if used is not None and body.get("EnableManagedSpotTraining"):
            billable = min(seconds, max(1, math.ceil(used)))
        body.update(TrainingTimeInSeconds=seconds, BillableTimeInSeconds=billable)
    if reason:
        body["FailureReason"] = reason[:REASON_LENGTH]
    enter(body, secondary)
