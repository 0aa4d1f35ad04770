"""What a run on this machine does: quickly, or as well as it can."""

from enum import StrEnum


class PlanName(StrEnum):
    """`quick` trains heads alone, on fewer turned views, `full` the whole network too and exports it."""

    quick = "quick"
    full = "full"


PARAMETERS: dict[PlanName, dict[str, str]] = {
    PlanName.quick: {"FineTuneTrials": "0", "Exports": "", "CachedViews": "2", "EvaluationViews": "2"},
    PlanName.full: {
        "FineTuneTrials": "2",
        "Exports": "saved_model,litert,litert_int8,onnx",
        "CachedViews": "8",
        "EvaluationViews": "8",
    },
}


def parameters(plan: PlanName, trials: int | None) -> dict[str, str]:
    """The template's parameters for a plan and, if given, a number of heads to try."""
    return {**PARAMETERS[plan], **({"TrialCount": str(trials)} if trials else {})}
