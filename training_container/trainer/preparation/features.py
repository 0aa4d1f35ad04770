"""Extracts features with the frozen backbones once, so that no trial has to."""

import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from trainer.backbones import build_backbone
from trainer.inference.engines import fastest_engine
from trainer.preparation.dataset import TRAIN_SHARE, VALIDATION_SHARE
from trainer.types import Engine, Floats, Pixels, Say
from trainer.vary import changed_once_or_twice

BYTES = np.dtype(np.float16).itemsize


class FeatureExtractor:
    """Extracts features with one backbone at one image size.

    It calls `say` if the fastest engine can't be used; `pretrained` is as for `build_backbone`.
    """

    def __init__(self, name: str, image_size: int, say: Say, pretrained: Path) -> None:
        self._backbone = build_backbone(name, image_size, pretrained)
        self._engine = fastest_engine(self._backbone, say)
        self._say = say
        self.width = int(self._backbone.output_shape[-1])
        """How many features an image has."""

    @cached_property
    def _rounding_engine(self) -> Engine:
        """Made when the first changed view needs it."""
        return fastest_engine(self._backbone, self._say, exact=False)

    def __call__(self, images: Pixels, view: int) -> Floats:
        """The features (k, width) of images (k, size, size, 3) that are in the given view.

        Those of changed images may be rounded to three digits, as bfloat16 is twice as fast where it exists.
        """
        return (self._rounding_engine if view else self._engine)(images)


def view_of(image: Pixels, view: int) -> Pixels:
    """A square image in one view: unchanged in view 0, else changed at random, and always in the same way."""
    if view == 0:
        return image
    return changed_once_or_twice(image, np.random.default_rng((view, zlib.crc32(image.tobytes()))))


def views_that_fit(most_bytes: int, most_views: int, images: int, widths: Sequence[int]) -> int:
    """How many views of a training image have their features kept: as many as fit, at least 1 and at most `most_views`.

    `images` is the number of files of the whole dataset, `widths` the numbers of features of each backbone. Validation
    images have one view.
    """
    a_view = max(images, 1) * sum(widths) * BYTES
    fit = (most_bytes / a_view - VALIDATION_SHARE) / TRAIN_SHARE
    return int(min(max(fit, 1), most_views))
