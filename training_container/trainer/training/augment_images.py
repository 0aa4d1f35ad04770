"""Augmentation of training photographs in fine-tuning."""

import cv2
import numpy as np

from trainer.types import Floats, Pixels
from trainer.vary import varied


def augment(images: Pixels, strength: float, rng: np.random.Generator) -> Floats:
    """Square RGB images (n, size, size, 3), each varied by `strength`, 0 to 1; still 0 to 255.

    With a strength of 0 they are turned and mirrored only, as any orientation is equally likely.
    """
    return np.stack([varied(image, strength, rng) for image in images]).astype(np.float32)


def cutmix(images: Floats, targets: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Each image with a rectangle of another, targets in proportion (CutMix: Yun et al. 2019, arXiv 1905.04899)."""
    size = images.shape[1]
    half = np.sqrt(rng.uniform()) * size / 2
    middle = rng.uniform(0, size, 2)
    (top, left), (bottom, right) = (np.clip(middle + side * half, 0, size).astype(int) for side in (-1, 1))
    other = rng.permutation(len(images))
    images = images.copy()
    images[:, top:bottom, left:right] = images[other, top:bottom, left:right]
    share = np.float32((bottom - top) * (right - left) / size**2)
    return images, (1 - share) * targets + share * targets[other]


def shrunk(images: Pixels, size: int) -> Pixels:
    """Square images (n, side, side, 3) at a side of `size` pixels, which is at most their own."""
    if images.shape[1] == size:
        return images
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
