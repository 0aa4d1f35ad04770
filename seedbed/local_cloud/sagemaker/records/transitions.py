"""How a training job's record tells its course and its end."""

import math

from ..containers.opt_ml import REASON_LENGTH
from ..kinds import Body
from .ledger import enter, now

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Restarting": "The job's instance was lost; it runs again, from its checkpoint if it has one",
    "Interrupted": "The Spot instance was taken away; the job waits for another",
    "Downloading": "Downloading input data",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "The job ran longer than its MaxRuntimeInSeconds",
    "MaxWaitTimeExceeded": "The job did not complete within its MaxWaitTimeInSeconds",
}


def end(body: Body, status: str, secondary: str, reason: str, used: float | None = None) -> None:
    """The job's last state.

    used: its seconds on instances, where that is known. A Spot job is billed for these; its training time includes
    the waits for another instance.
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
    enter(body, secondary, MESSAGES[secondary])
