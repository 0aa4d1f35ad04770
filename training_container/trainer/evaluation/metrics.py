"""Scores of predictions, with the confidence interval that the number of test images allows."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri  # type: ignore[import-untyped]

from trainer.types import Doubles, Integers

Z_95 = float(ndtri(0.975))
UNKNOWN = -1


@dataclass(frozen=True)
class Scores:
    """Scores of one model on one test split; `confusion[i][j]` counts images of label i predicted as label j."""

    labels: list[str]
    images: int
    correct: int
    confusion: Integers
    images_of_label: Integers

    @property
    def accuracy(self) -> float:
        """Share of images that are predicted correctly."""
        return self.correct / self.images

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the labels with images in the test split, with equal weight for each label."""
        _, _, f1 = self._precision_recall_f1()
        return float(f1[self.images_of_label > 0].mean())

    def _precision_recall_f1(self) -> tuple[Doubles, ...]:
        hits = np.diag(self.confusion).astype(np.float64)
        predicted_as = self.confusion.sum(axis=0)
        precision = hits / np.maximum(predicted_as, 1)
        recall = hits / np.maximum(self.images_of_label, 1)
        f1 = 2 * hits / np.maximum(predicted_as + self.images_of_label, 1)
        return precision, recall, f1

    def summary(self) -> dict[str, Any]:
        """The figures for comparing two models."""
        return {
            "images": self.images,
            "accuracy": round(self.accuracy, 4),
            "accuracy_interval": [round(bound, 4) for bound in wilson_interval(self.correct, self.images)],
            "macro_f1": round(self.macro_f1, 4),
        }

    def details(self) -> dict[str, Any]:
        """The confusion matrix and each label's precision, recall and F1; 0 in place of 0/0."""
        columns = zip(*self._precision_recall_f1(), self.images_of_label, strict=True)
        per_label = {
            label: {
                "precision": round(float(precision), 4),
                "recall": round(float(recall), 4),
                "f1": round(float(f1), 4),
                "images": int(images),
            }
            for label, (precision, recall, f1, images) in zip(self.labels, columns, strict=True)
        }
        return {"labels": self.labels, "confusion": self.confusion.tolist(), "per_label": per_label}


def score(labels: list[str], truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> Scores:
    """Scores from label numbers (n,). UNKNOWN in `predicted`, for a label that is not in `labels`, counts as wrong."""
    known = predicted != UNKNOWN
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth[known], predicted[known]), 1)
    return Scores(labels, len(truth), int(np.trace(confusion)), confusion, np.bincount(truth, minlength=len(labels)))


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Confidence bounds of a proportion (Wilson 1927, JASA 22), valid for few trials and near 0 or 1 too."""
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    scale = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / scale
    half_width = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, centre - half_width), min(1.0, centre + half_width)
