"""The figures of an evaluation, arranged for the page."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from trainer.evaluation.calibration import BINS, Reliability

MAX_CONFUSIONS = 10


class IntervalRow(NamedTuple):
    """One model's accuracy and interval; `left`, `width` and `middle` are in percent of the scale's width."""

    name: str
    accuracy: float
    interval: tuple[float, float]
    left: float
    width: float
    middle: float


class IntervalScale(NamedTuple):
    """Rows on a common scale from `lowest` to 1."""

    lowest: float
    rows: list[IntervalRow]


class Confusion(NamedTuple):
    """Images of one label that were predicted as another."""

    truth: str
    predicted: str
    images: int
    share: float
    """Share of the images of `truth`."""


class ChangeRow(NamedTuple):
    """The scores on photographs under one harmless change; `champion` is its accuracy, if it was scored under it."""

    name: str
    accuracy: float
    macro_f1: float
    champion: float | None


class ReliabilityPoint(NamedTuple):
    """One bin of confidence that has images; all but `images` are from 0 to 1."""

    low: float
    high: float
    confidence: float
    accuracy: float
    images: int


def interval_rows(evaluation: dict[str, Any]) -> IntervalScale:
    """This model and, if it could be scored, the champion."""
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
                name=name,
                accuracy=score["accuracy"],
                interval=(low, high),
                left=on_scale(low),
                width=on_scale(high) - on_scale(low),
                middle=on_scale(score["accuracy"]),
            )
            for name, score in scores
            for low, high in [score["accuracy_interval"]]
        ],
    )


def weakest_first(evaluation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each label and its scores, the lowest F1 first; labels without test images last."""
    return sorted(evaluation["per_label"].items(), key=lambda item: (not item[1]["images"], item[1]["f1"], item[0]))


def change_rows(evaluation: dict[str, Any]) -> list[ChangeRow]:
    """Each harmless change, the lowest accuracy first; none if no photographs were changed."""
    scores = (evaluation["changes"] or {}).get("by_change", {})
    champions = ((evaluation["champion"] or {}).get("changes") or {}).get("by_change", {})
    rows = (
        ChangeRow(name, of["accuracy"], of["macro_f1"], champions.get(name, {}).get("accuracy"))
        for name, of in scores.items()
    )
    return sorted(rows, key=lambda row: row.accuracy)


def mistake_count(evaluation: dict[str, Any]) -> int:
    """The number of wrong predictions, which a rounded accuracy may hide."""
    return int(evaluation["images"] - np.trace(evaluation["confusion"]))


def confusions(evaluation: dict[str, Any]) -> list[Confusion]:
    """Up to ten confusions, the most frequent first."""
    labels, matrix = evaluation["labels"], evaluation["confusion"]
    found = [
        Confusion(labels[i], labels[j], matrix[i][j], matrix[i][j] / evaluation["per_label"][labels[i]]["images"])
        for i, j in product(range(len(labels)), repeat=2)
        if i != j and matrix[i][j]
    ]
    return sorted(found, key=lambda confusion: (-confusion.images, -confusion.share))[:MAX_CONFUSIONS]


def reliability_points(found: Reliability) -> list[ReliabilityPoint]:
    """The bins that have images, lowest confidence first."""
    steps = zip(found.images.tolist(), found.confidence.tolist(), found.accuracy.tolist(), strict=True)
    return [
        ReliabilityPoint(
            low=step / BINS, high=(step + 1) / BINS, confidence=confidence, accuracy=accuracy, images=images
        )
        for step, (images, confidence, accuracy) in enumerate(steps)
        if images
    ]
