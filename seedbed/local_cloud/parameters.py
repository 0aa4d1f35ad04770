"""The template's parameters on a laptop: its defaults, and the plans `quick` and `full`."""

import os
from enum import StrEnum

from .access.credentials import ACCOUNT
from .environment import REGION


class PlanName(StrEnum):
    """`quick` trains classifier heads only; `full` also fine-tunes the network, in every format."""

    quick = "quick"
    full = "full"


PARAMETERS: dict[PlanName, dict[str, str]] = {
    PlanName.quick: {
        "FineTuneTrials": "0",
        "Exports": "onnx",
        "EvaluationViews": "2",
        "ChangedImages": "100",
    },
    PlanName.full: {
        "FineTuneTrials": "2",
        "Exports": "saved_model,litert,litert_int8,onnx",
        "EvaluationViews": "8",
        "ChangedImages": "300",
    },
}

LAPTOP = {
    "NotificationEmail": "you@localhost",
    "NotifyStart": "false",
    "QuietPeriodSeconds": "5",
    "MaximumWaitSeconds": "300",
    "ReconcileSchedule": "rate(1 minute)",
    "TrialCount": "8",
    "HeadsPerJob": "4",
    "ParallelTrials": str(max(1, min(4, os.cpu_count() or 1))),
    **PARAMETERS[PlanName.quick],
    "UseSpot": "false",
    "TrainingPricePerHour": "0",
    "FineTunePricePerHour": "0",
    "ProcessingPricePerHour": "0",
    "OldVersionDays": "0",
    "RequireTls": "false",
    "BucketName": f"seedbed-{ACCOUNT}-{REGION}",
    "JobPrefix": "sb-",
}


def parameters(plan: PlanName, trials: int | None) -> dict[str, str]:
    """The template's parameters for a plan and, if given, a number of trials."""
    return {**PARAMETERS[plan], **({"TrialCount": str(trials)} if trials else {})}
