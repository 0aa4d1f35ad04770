"""Extracts features with the frozen backbone once, so that no trial has to."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.backbones import build_backbone
from trainer.inference.engines import fastest_engine
from trainer.types import Pixels, Say
from trainer.vary import varied

BATCH = 32


class FeatureExtractor:
    """Extracts features with one backbone at one image size, and calls `done` with the size of each finished batch.

    It calls `say` if the fastest engine can't be used; `pretrained` is as for `build_backbone`.
    """

    def __init__(
        self,
        name: str,
        image_size: int,
        done: Callable[[int], None],
        say: Say,
        pretrained: Path,
    ) -> None:
        backbone = build_backbone(name, image_size, pretrained)
        self._width = int(backbone.output_shape[-1])
        self._engine = fastest_engine(backbone, say)
        self._done = done

    def write(self, path: Path, images: Pixels, rows: Sequence[int], views: int) -> None:
        """Writes the features of the given rows of `images` as an array (rows, views, d) of float16.

        View 0 is the image; each further one is the image varied at random, in the same way whenever it is prepared.
        """
        features = pack.create_array(path, (len(rows), views, self._width), np.float16)
        for start in range(0, len(rows), BATCH):
            batch = images[rows[start : start + BATCH]]
            for view in range(views):
                features[start : start + len(batch), view] = self._engine(view_of(batch, view))
            self._done(len(batch))


def view_of(images: Pixels, view: int) -> Pixels:
    """Square images (n, size, size, 3) in one view: unchanged in view 0, else varied."""
    if view == 0:
        return images
    return np.stack(
        [varied(image, 1.0, np.random.default_rng((view, zlib.crc32(image.tobytes())))) for image in images]
    )
