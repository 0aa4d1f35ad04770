"""What evaluation.json tells of the choice of a model and of its confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.answering.verdicts import THRESHOLDS
from trainer.evaluation.calibration import Reliability, reliabilities
from trainer.evaluation.candidates import Candidate
from trainer.evaluation.test_split import ChangedAnswers


def choice(found: Sequence[Candidate], chosen: Candidate, temperature: float) -> dict[str, Any]:
    """The chosen candidate, the others, and the temperature of the model made of it."""
    return {
        "validation_accuracy": round(chosen.accuracy, 4),
        "views": chosen.views,
        "temperature": temperature,
        "members": chosen.names,
        "candidates": [_candidate(candidate, chosen) for candidate in found],
    }


def calibration(
    before: Reliability, after: Reliability, changed: ChangedAnswers | None, temperature: float
) -> dict[str, Any]:
    """The calibration errors on the test split, and on changed test photographs, before and after the temperature."""
    under_changes = changed and reliabilities(changed.probabilities, changed.truth, temperature)
    return {
        **_errors(before, after),
        "changed": under_changes and _errors(*under_changes),
    }


def _errors(before: Reliability, after: Reliability) -> dict[str, float]:
    return {"ece_before": round(before.error, 4), "ece_after": round(after.error, 4)}


def when_sure(facts: Mapping[str, Any], sureness: dict[str, Any]) -> dict[str, Any] | None:
    """When the model is sure, and how that holds on the test photographs; None if no threshold says it."""
    thresholds = facts.get(THRESHOLDS)
    return thresholds and {**thresholds, **sureness}


def _candidate(candidate: Candidate, chosen: Candidate) -> dict[str, Any]:
    return {
        "name": candidate.title,
        "members": candidate.names,
        "views": candidate.views,
        "validation_accuracy": round(candidate.accuracy, 4),
        "validation_log_loss": round(candidate.log_loss, 4),
        "chosen": candidate is chosen,
    }
