"""The photographs that a model got wrong while it was surest, with a picture of where it looked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.archive import Model
from trainer.evaluation.saliency import can_explain, heat_maps
from trainer.photos import Photos
from trainer.types import Floats, Labels, Pixels

MOST = 24


@dataclass(frozen=True)
class Mistake:
    """One photograph, and what it was taken for."""

    file: str
    truth: str
    taken_for: str
    confidence: float
    picture: Pixels
    """(size, size, 3), RGB 0 to 255."""
    heat: Floats | None
    """(h, w), 0 to 1: what spoke for the wrong label rather than the right one; None where the backend can't tell."""


def surest_mistakes(probabilities: Floats, photos: Photos, labels: Sequence[str], explained_by: Model) -> list[Mistake]:
    """The up to 24 surest by probabilities (n, labels), surest first.

    `explained_by` is a whole model that gives logits of the same labels, in the same order.
    """
    taken_for, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(taken_for != photos.labels)
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    pictures = photos.load(rows, explained_by.image_size)
    heats = _heats(explained_by, pictures, taken_for[rows], photos.labels[rows])
    return [
        Mistake(
            photos.names[row],
            labels[photos.labels[row]],
            labels[taken_for[row]],
            float(confidence[row]),
            pictures[place],
            heats[place],
        )
        for place, row in enumerate(rows)
    ]


def _heats(model: Model, pictures: Pixels, taken_for: Labels, truth: Labels) -> Sequence[Floats | None]:
    if not len(pictures) or not can_explain():
        return [None] * len(pictures)
    return list(heat_maps(model.network, pictures, taken_for, truth))
