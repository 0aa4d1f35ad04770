"""The numbers of an evaluation, laid out for the page."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from trainer.evaluation.calibration import BINS, Reliability

MOST_CONFUSIONS = 10


class IntervalRow(NamedTuple):
    """One model's accuracy with its interval; where they lie on a scale is in percent of its width."""

    name: str
    accuracy: float
    interval: tuple[float, float]
    left: float
    width: float
    middle: float


class IntervalScale(NamedTuple):
    """Rows on one scale from `lowest` to 1."""

    lowest: float
    rows: list[IntervalRow]


class Confusion(NamedTuple):
    """Images of one label taken for another."""

    truth: str
    taken_for: str
    images: int
    share: float
    """Of the images of `truth`."""


class ReliabilityPoint(NamedTuple):
    """One step of confidence that has images; from 0 to 1 but for `images`."""

    low: float
    high: float
    confidence: float
    accuracy: float
    images: int


def interval_rows(evaluation: dict[str, Any]) -> IntervalScale:
    """This model and, where one could be scored, the champion."""
    champion = evaluation["champion"]
    scores = [("This model", evaluation)] + ([("Champion", champion)] if champion and "error" not in champion else [])
    lowest = np.floor(10 * min(score["accuracy_interval"][0] for _, score in scores) - 0.2) / 10
    lowest = float(np.clip(lowest, 0, 0.9))

    def on_scale(share: float) -> float:
        return 100 * (share - lowest) / (1 - lowest)

    return IntervalScale(
        lowest,
        [
            IntervalRow(
                name,
                score["accuracy"],
                (low, high),
                on_scale(low),
                on_scale(high) - on_scale(low),
                on_scale(score["accuracy"]),
            )
            for name, score in scores
            for low, high in [score["accuracy_interval"]]
        ],
    )


def weakest_first(evaluation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each label and its scores, by F1; labels without test images last."""
    return sorted(evaluation["per_label"].items(), key=lambda item: (not item[1]["images"], item[1]["f1"], item[0]))


def mistaken(evaluation: dict[str, Any]) -> int:
    """How many images were taken for what they are not; a rounded accuracy does not tell of many."""
    return int(evaluation["images"] - np.trace(evaluation["confusion"]))


def confusions(evaluation: dict[str, Any]) -> list[Confusion]:
    """The ten most frequent confusions, most frequent first."""
    labels, matrix = evaluation["labels"], evaluation["confusion"]
    found = [
        Confusion(labels[i], labels[j], matrix[i][j], matrix[i][j] / evaluation["per_label"][labels[i]]["images"])
        for i, j in product(range(len(labels)), repeat=2)
        if i != j and matrix[i][j]
    ]
    return sorted(found, key=lambda confusion: (-confusion.images, -confusion.share))[:MOST_CONFUSIONS]


def reliability_points(found: Reliability) -> list[ReliabilityPoint]:
    """The steps that have images, lowest confidence first."""
    steps = zip(found.images.tolist(), found.confidence.tolist(), found.accuracy.tolist(), strict=True)
    return [
        ReliabilityPoint(step / BINS, (step + 1) / BINS, confidence, accuracy, images)
        for step, (images, confidence, accuracy) in enumerate(steps)
        if images
    ]
