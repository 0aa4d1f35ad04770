"""From which confidence on a model is sure, by how often it may then be wrong."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv  # type: ignore[import-untyped]

from trainer.answering.verdicts import Doubt, Thresholds, Verdicts
from trainer.types import Doubles, Labels

CERTAINTY = 0.95
"""How sure it is that the errors on all such photographs are as few as those on the given ones say."""


@dataclass(frozen=True)
class Sureness:
    """How sure a model is of photographs with known labels, as in evaluation.json; shares are from 0 to 1."""

    images: int
    sure: float
    """Share of the photographs that it is sure of."""
    wrong: float | None
    """Share of those that it is sure of and that are wrong; None if there are none."""
    unlike: float
    """Share of the photographs that are unlike what it learnt from, by its distance."""

    def summary(self) -> dict[str, Any]:
        """The figures, rounded."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def enough(images: int, error_rate: float) -> bool:
    """Whether so many photographs, all of them right, could show that a model is not wrong more often."""
    return bool(most_errors(np.zeros(1), np.full(1, float(images)))[0] <= error_rate)


def most_errors(wrong: Doubles, images: Doubles) -> Doubles:
    """Upper limits of error rates, for each number of wrong ones among so many images (Clopper and Pearson 1934)."""
    rates: Doubles = betaincinv(wrong + 1, np.maximum(images - wrong, np.finfo(float).tiny), CERTAINTY)
    return rates


def find_thresholds(confidence: Doubles, right: Doubles, changed: Doubles, error_rate: float) -> Thresholds:
    """The lowest confidence from which on answers are wrong at most at the given rate, 0 to 1.

    Two things must hold for the photographs with at least that confidence, (n,) with n > 0: the upper limit of the rate
    is low enough, and so is the rate itself among those that are changed. `right` is 1 for each that is answered
    correctly, `changed` for each that is changed, and 0 for the others.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_, wrong, changed = confidence[order], 1 - right[order], changed[order]
    last_of_its_confidence = np.append(sorted_[1:] < sorted_[:-1], True)
    low = most_errors(np.cumsum(wrong), np.arange(1.0, len(wrong) + 1)) <= error_rate
    low_if_changed = np.cumsum(wrong * changed) <= error_rate * np.cumsum(changed)
    kept = np.flatnonzero(last_of_its_confidence & low & low_if_changed)
    return Thresholds(round_down(float(sorted_[kept[-1]])) if kept.size else None)


def round_down(confidence: float) -> float:
    """To four digits, so that it holds for the photograph that it was found with."""
    return float(np.floor(confidence * 1e4) / 1e4)


def sureness(answers: Verdicts, truth: Labels) -> Sureness:
    """The figures of answers on photographs with these label numbers (n,), n > 0."""
    sure = answers.doubts == Doubt.NONE
    wrong = answers.probabilities.argmax(axis=1) != truth
    return Sureness(
        images=len(truth),
        sure=float(sure.mean()),
        wrong=float(wrong[sure].mean()) if sure.any() else None,
        unlike=float((answers.doubts == Doubt.UNLIKE).mean()),
    )
