"""The most confident mistakes of a model, each with a heat map of where it looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.archive import Model
from trainer.evaluation.saliency import can_explain, heat_maps
from trainer.photos import Photos
from trainer.types import Floats, Labels, Pixels

MAX_MISTAKES = 24


@dataclass(frozen=True)
class Mistake:
    """One photograph that was predicted wrongly."""

    file: str
    truth: str
    predicted: str
    confidence: float
    picture: Pixels
    """(size, size, 3), RGB 0 to 255."""
    heat_map: Floats | None
    """(h, w), 0 to 1: the evidence for the wrong label over the right one; None if the backend can't compute it."""

    def summary(self) -> dict[str, Any]:
        """The mistake without its pictures."""
        return {
            "file": self.file,
            "truth": self.truth,
            "predicted": self.predicted,
            "confidence": round(self.confidence, 4),
        }


def most_confident_mistakes(
    probabilities: Floats, photos: Photos, labels: Sequence[str], explained_by: Model
) -> list[Mistake]:
    """Up to 24 mistakes by probabilities (n, labels), the most confident first.

    `explained_by` is a whole model that gives logits for the same labels in the same order.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != photos.labels)
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    pictures = photos.load(rows, explained_by.image_size)
    explanations = _explanations(explained_by, pictures, predicted[rows], photos.labels[rows])
    return [
        Mistake(
            file=photos.names[row],
            truth=labels[photos.labels[row]],
            predicted=labels[predicted[row]],
            confidence=float(confidence[row]),
            picture=pictures[place],
            heat_map=explanations[place],
        )
        for place, row in enumerate(rows)
    ]


def _explanations(model: Model, pictures: Pixels, predicted: Labels, truth: Labels) -> Sequence[Floats | None]:
    if not len(pictures) or not can_explain():
        return [None] * len(pictures)
    return list(heat_maps(model.network, pictures, predicted, truth))
