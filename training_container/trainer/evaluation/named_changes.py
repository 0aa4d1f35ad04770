"""The harmless changes under which a model is scored: each fixed, so that two models and two runs can be compared.

They are of the kinds that training draws at random (`trainer.vary`). Resolution and encoding are changed at 150 pixels
a side, whatever the photograph's own size: there JPEG's blocks of 8 pixels matter.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from trainer import changes
from trainer.changes import JPEG, UNITS, WEBP, Light
from trainer.types import Doubles, Floats, Pixels

Change = Callable[[Pixels], Pixels]
"""A square image → the image changed, at the same size."""

GREY = (128.0, 128.0, 128.0)
DEBLOCKING_QUALITY = 85
_GRIDS = ((0, 3), (2, 6), (4, 1), (6, 4), (1, 5), (3, 7), (5, 2), (7, 0))
"""Rows and columns by which JPEG's grid of blocks is shifted."""


def when_small(image: Pixels, change: Change) -> Pixels:
    """The image changed at 150 pixels a side, or at its own size if that is smaller, and enlarged again."""
    small = changes.scaled(image, UNITS / image.shape[0]) if image.shape[0] > UNITS else image
    return changes.enlarged_to(change(small), image)


def _without_blocks(image: Pixels) -> Pixels:
    """The mean of what JPEG makes of the image at shifted grids, which smooths its blocks away (Nosratinia 2001)."""
    height, width = image.shape[:2]
    total: Floats = np.zeros(image.shape, np.float32)
    for top, left in _GRIDS:
        padded = cv2.copyMakeBorder(image, top, 8 - top, left, 8 - left, cv2.BORDER_REFLECT_101)
        saved = changes.encoded(np.asarray(padded, np.uint8), JPEG, DEBLOCKING_QUALITY, full_chroma=True)
        total += saved[top : top + height, left : left + width]
    return np.asarray(total / len(_GRIDS) + 0.5, np.uint8)


def _with_noise(image: Pixels) -> Pixels:
    return changes.noisy(image, 8, np.random.default_rng(0), grain=max(1.0, image.shape[0] / UNITS))


def seen(image: Pixels, zoom: float = 1.0, degrees: float = 0.0, fill: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Pixels:
    """The image from nearer (`zoom` above 1) or farther away, turned, on the colour `fill`."""
    middle = (image.shape[0] - 1) / 2
    seen_through: Doubles = np.asarray(cv2.getRotationMatrix2D((middle, middle), degrees, 1 / zoom), np.float64)
    return changes.framed(image, seen_through, cv2.BORDER_CONSTANT, fill)


CHANGES: Mapping[str, Change] = {
    "no JPEG blocks": lambda image: when_small(image, _without_blocks),
    "JPEG of quality 30": lambda image: when_small(image, lambda small: changes.encoded(small, JPEG, 30)),
    "WebP of quality 30": lambda image: when_small(image, lambda small: changes.encoded(small, WEBP, 30)),
    "half the resolution": lambda image: when_small(image, lambda small: changes.scaled(small, 0.5)),
    "blurred": lambda image: changes.blurred(image, 1.0),
    "sharpened": lambda image: changes.sharpened(image, 1.0),
    "noise": _with_noise,
    "darker": lambda image: changes.relit(image, Light(exposure=0.7)),
    "brighter": lambda image: changes.relit(image, Light(exposure=1.35)),
    "low contrast": lambda image: changes.relit(image, Light(contrast=0.65)),
    "warmer": lambda image: changes.relit(image, Light(tint=(1.12, 1.0, 0.86))),
    "turned by 30 degrees": lambda image: seen(image, degrees=30),
    "closer": lambda image: seen(image, zoom=1.25),
    "farther away": lambda image: seen(image, zoom=0.8, fill=GREY),
}
