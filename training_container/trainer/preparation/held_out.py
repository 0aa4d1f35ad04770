"""What each image's label would be, judged by the other images alone, from features that are there already.

Ridge regression on the labels has a closed form for what it predicts of images that it has not learnt from (the
residuals divided by blocks of one inverse), so one fit does the work of thousands. Near-duplicates are held out
together, as one would give away the other's label. docs/labels.md has the measurements.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack  # type: ignore[import-untyped]
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.special import log_softmax, softmax  # type: ignore[import-untyped]

from trainer.types import Floats, Integers

ROWS_AT_ONCE = 4096
"""Images that judge one another: time and memory for an image stay the same however many there are."""
RIDGE = 0.04
VARIANCE_FLOOR = 1e-2
SHARPEST = 100.0
ROWS_TO_CALIBRATE = 10_000

ReadFeatures = Callable[[Integers], Floats]
"""Row numbers (m,) → their features (m, d)."""


def held_out_probabilities(read: ReadFeatures, labels: Integers, groups: Integers) -> Floats:
    """The probability of each label for each image, (n, k), from a classifier that has not seen it.

    `labels` (n,) are numbers from 0 to k - 1; images with the same number in `groups` (n,) are held out together.
    """
    scores = np.zeros((len(labels), int(labels.max()) + 1), np.float32)
    order = np.random.default_rng(0).permutation(int(groups.max()) + 1)[groups].argsort(kind="stable")
    for rows in np.array_split(order, -(-len(order) // ROWS_AT_ONCE)):
        rows.sort()
        scores[rows] = _held_out_scores(read(rows), labels[rows], groups[rows], scores.shape[1])
    return np.asarray(softmax(scores * _sharpness(scores, labels), axis=1), np.float32)


def _held_out_scores(features: Floats, labels: Integers, groups: Integers, count: int) -> Floats:
    """Near 1 for the label that the others' labels speak for, near 0 for the rest: (m, k).

    Rare labels are fitted as closely as frequent ones. The constant that is added to the kernel stands for a bias;
    centring the labels instead would let each image's own label leak into its prediction.
    """
    kernel = _kernel(features)
    frequency = np.bincount(labels, minlength=count)
    kernel += 1.0
    kernel[np.diag_indices_from(kernel)] += RIDGE * frequency[labels] / frequency[frequency > 0].mean()
    wanted = np.eye(count, dtype=np.float32)[labels]
    factor, _ = lapack.spotrf(kernel.T, lower=1, overwrite_a=1)
    weights, _ = lapack.spotrs(factor, wanted, lower=1)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    residuals = weights / np.diagonal(inverse)[:, None]
    for rows in _shared(groups):
        lower = np.tril(inverse[np.ix_(rows, rows)])
        residuals[rows] = np.linalg.solve(lower + np.tril(lower, -1).T, weights[rows])
    return np.asarray(wanted - residuals, np.float32)


def _kernel(features: Floats) -> Floats:
    """Inner products (m, m) of standardised features, of which the mean on the diagonal is 1."""
    centred = features - features.mean(axis=0)
    centred /= np.sqrt(centred.var(axis=0) + VARIANCE_FLOOR)
    products: Floats = centred @ centred.T
    products /= max(float(products.trace()) / len(products), 1e-6)
    return products


def _shared(groups: Integers) -> list[Integers]:
    """The rows of each group with more than one image, in ascending order."""
    order = groups.argsort(kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [rows for rows in parts if len(rows) > 1]


def _sharpness(scores: Floats, labels: Integers) -> float:
    """The factor by which scores become the logits that give the labels the highest likelihood."""
    some = slice(None, None, -(-len(labels) // ROWS_TO_CALIBRATE))
    scores, rows = scores[some], np.arange(len(labels[some]))

    def surprise(logarithm: float) -> float:
        return float(-log_softmax(scores * np.exp(logarithm), axis=1)[rows, labels[some]].mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(0.0, np.log(SHARPEST)), method="bounded").x))
