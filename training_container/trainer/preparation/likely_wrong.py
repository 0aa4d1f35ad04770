"""Which labels are likely wrong: where the other images speak for another label with confidence.

How many there are is counted as in confident learning (Northcutt et al. 2021, arXiv 1911.00068): each label has the
mean probability of its own images as its threshold, and an image above another label's threshold disagrees. Listed
are as many of those whose own label is the least likely. docs/labels.md has the measurements.
"""

from typing import NamedTuple

import numpy as np

from trainer.types import Floats, Integers

LEAST_CONFIDENCE = 0.5
LEAST_ODDS = 10
LEAST_RECOGNISED = 0.5
"""Of a label's images; a label that is recognised less often is not judged, nor suggested."""
MAX_LISTED = 1000


class Suspect(NamedTuple):
    """An image whose label is likely wrong: its row, the label that others speak for, and that label's probability."""

    row: int
    suggested: int
    confidence: float


def likely_wrong(probabilities: Floats, labels: Integers) -> list[Suspect]:
    """The images whose label is likely wrong, the most certain ones first; at most a thousand.

    `probabilities` (n, k) come from a classifier that has not seen the image, `labels` (n,) are numbers of labels.
    """
    rows = np.arange(len(labels))
    own, best = probabilities[rows, labels], probabilities.argmax(axis=1)
    confidence = probabilities[rows, best]
    recognised = _means(best == labels, labels, probabilities.shape[1]) >= LEAST_RECOGNISED
    judged = recognised[labels] & recognised[best]
    listed = (best != labels) & (confidence >= LEAST_CONFIDENCE) & (own * LEAST_ODDS <= confidence) & judged
    disagreeing = int((_confident_labels(probabilities, own, labels) & judged).sum())
    suspects = np.flatnonzero(listed)
    ordered = suspects[np.lexsort((-confidence[suspects], own[suspects]))][: min(disagreeing, MAX_LISTED)]
    return [Suspect(int(row), int(best[row]), float(confidence[row])) for row in ordered]


def _confident_labels(
    probabilities: Floats, own: Floats, labels: Integers
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the likeliest label of those that reach their thresholds is another than the given one, (n,)."""
    thresholds = _means(own, labels, probabilities.shape[1])
    reached = np.where(probabilities >= thresholds, probabilities, 0)
    return np.asarray((reached.max(axis=1) > 0) & (reached.argmax(axis=1) != labels))


def _means(values: Floats, labels: Integers, count: int) -> Floats:
    """The mean of the values (n,) of each label's images, (k,); 2 for a label without images."""
    images = np.bincount(labels, minlength=count)
    return np.where(images, np.bincount(labels, values, count) / np.maximum(images, 1), 2.0)
