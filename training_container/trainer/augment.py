"""The training batches: each epoch in a new order, with features varied by the augmentation strength."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trainer.pack import Split

Floats = npt.NDArray[np.float32]

MIXING_ALPHA = 0.4


def batches(
    split: Split, labels: int, batch_size: int, strength: float, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """One epoch as (features (n, d), probabilities of the labels (n, labels)); the last batch may be smaller.

    With probability `strength` (0–1) an image is shown by any of its cached views, and with the same probability it is blended with
    another of its batch (mixup, Zhang et al. 2018, arXiv 1710.09412, here on features).
    """
    images, views, _ = split.features.shape
    one_hot = np.eye(labels, dtype=np.float32)
    order = rng.permutation(images)
    for start in range(0, images, batch_size):
        rows = order[start : start + batch_size]
        view = np.where(rng.random(len(rows)) < strength, rng.integers(views, size=len(rows)), 0)
        features = split.features[rows, view].astype(np.float32)
        yield _mixed(features, one_hot[split.labels[rows]], strength, rng)


def _mixed(features: Floats, targets: Floats, strength: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    if strength == 0:
        return features, targets
    share = rng.beta(MIXING_ALPHA, MIXING_ALPHA, (len(features), 1)).astype(np.float32)
    share = np.where(rng.random(share.shape) < strength, np.maximum(share, 1 - share), np.float32(1))
    other = rng.permutation(len(features))
    return share * features + (1 - share) * features[other], share * targets + (1 - share) * targets[other]
