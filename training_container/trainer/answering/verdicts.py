"""Whether a model is sure of an answer, and of a photograph unlike those that it learnt from, hardly any certainty.

A network may give, beside its probabilities, the distance of a photograph from those that it learnt from: above 1 it is
unlike them. What its probabilities say of such a photograph, nothing has measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from trainer.answering.averages import average_probabilities
from trainer.types import Floats, Integers

THRESHOLDS = "thresholds"
BELIEVED_AT_THE_LIMIT = 0.5
"""Of a photograph whose distance is just above 1, how much is kept of the probabilities' differences."""


class Doubt(IntEnum):
    """Why a model is not sure of an answer; UNKNOWN if it was never measured when it is."""

    UNKNOWN = 0
    NONE = 1
    CONFIDENCE = 2
    UNLIKE = 3


WORDS: Mapping[Doubt, str] = {
    Doubt.UNKNOWN: "",
    Doubt.NONE: "sure",
    Doubt.CONFIDENCE: "not sure",
    Doubt.UNLIKE: "not sure: unlike what the model learnt from",
}


@dataclass(frozen=True)
class Thresholds:
    """When a model is sure: if its confidence is at least `confidence`, and never if that is None."""

    confidence: float | None


class Verdicts(NamedTuple):
    """A model's answers on n images."""

    probabilities: Floats
    """(n, labels)"""
    doubts: Integers
    """(n,): values of Doubt"""

    @classmethod
    def joined(cls, parts: Sequence["Verdicts"]) -> "Verdicts":
        """The answers of several batches, of which there is at least one."""
        return cls(np.concatenate([of.probabilities for of in parts]), np.concatenate([of.doubts for of in parts]))


def thresholds_in(facts: Mapping[str, Any]) -> Thresholds | None:
    """The thresholds that a model.json holds, which may hold anything; None if it holds none."""
    found = facts.get(THRESHOLDS)
    if not isinstance(found, dict) or "confidence" not in found:
        return None
    confidence = found["confidence"]
    if confidence is None:
        return Thresholds(None)
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool) and math.isfinite(confidence)
    return Thresholds(float(confidence)) if is_number else None


def verdicts(outputs: Floats, labels: int, thresholds: Thresholds | None) -> Verdicts:
    """The answers from a network's outputs (views, n, labels), or (views, n, labels + 1) with the distance as the last.

    Probabilities are averaged over the views; the distance is the first view's, the image as it is. Beyond a distance
    of 1 the probabilities are drawn towards equal ones, the more the farther; the order of the labels stays.
    """
    probabilities = average_probabilities(outputs[:, :, :labels])
    doubts = doubts_of(probabilities, thresholds)
    if outputs.shape[2] == labels:
        return Verdicts(probabilities, doubts)
    distances = outputs[0, :, labels]
    unlike = ~(distances <= 1)  # a distance that is not a number is no small one
    return Verdicts(drawn_together(probabilities, distances), np.where(unlike, Doubt.UNLIKE, doubts))


def doubts_of(probabilities: Floats, thresholds: Thresholds | None) -> Integers:
    """The doubts (n,) about answers by their probabilities (n, labels) alone."""
    if thresholds is None:
        return np.full(len(probabilities), int(Doubt.UNKNOWN))
    least = np.inf if thresholds.confidence is None else thresholds.confidence
    return np.where(probabilities.max(axis=1) >= least, int(Doubt.NONE), int(Doubt.CONFIDENCE))


def drawn_together(probabilities: Floats, distances: Floats) -> Floats:
    """Probabilities (n, labels), those of images at distances (n,) above 1 drawn towards equal ones."""
    beyond = np.maximum(np.where(np.isnan(distances), np.inf, distances).astype(np.float64), 1)[:, None]
    kept = np.where(beyond > 1, BELIEVED_AT_THE_LIMIT / beyond**2, 1)
    return np.asarray(kept * probabilities + (1 - kept) / probabilities.shape[1], np.float32)
