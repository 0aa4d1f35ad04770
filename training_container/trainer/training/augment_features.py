"""Training batches of features: each epoch in a new order, with augmentation."""

from collections.abc import Iterator

import numpy as np

from trainer.pack import FeatureSplit
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Batch
from trainer.training.trial import label_weights
from trainer.types import Floats, Integers

MIXING_ALPHA = 0.4


def batches(
    split: FeatureSplit, rows: Integers, chosen: Hyperparameters, labels: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """One epoch of the features (n, d) of these rows of the split; the last batch may be smaller.

    With the probability `chosen.augmentation` an image appears in a random one of its cached views, and with the same
    probability it is blended with another of its batch (mixup, Zhang et al. 2018, arXiv 1710.09412, here on features).
    """
    strength = chosen.augmentation
    views = split.features.shape[1]
    one_hot = np.eye(labels, dtype=np.float32)
    weights = label_weights(split.labels[rows], labels, chosen)
    order = rows[rng.permutation(len(rows))]
    for start in range(0, len(order), chosen.batch_size):
        step = order[start : start + chosen.batch_size]
        view = np.where(rng.random(len(step)) < strength, rng.integers(views, size=len(step)), 0)
        features = split.features[step, view].astype(np.float32, copy=False)
        targets = one_hot[split.labels[step]]
        if strength:
            _mixup(features, targets, strength, rng)
        yield Batch(features, targets, weights[split.labels[step]])


def _mixup(features: Floats, targets: Floats, strength: float, rng: np.random.Generator) -> None:
    """Blends them in place: batches of wide features are large, and making new ones takes half of the time."""
    share = rng.beta(MIXING_ALPHA, MIXING_ALPHA, (len(features), 1)).astype(np.float32)
    blended = np.flatnonzero(rng.random(len(share)) < strength)
    other = rng.permutation(len(features))[blended]
    rest = np.minimum(share, 1 - share)[blended]
    for values in (features, targets):
        difference = values[other]
        difference -= values[blended]
        difference *= rest
        values[blended] += difference
