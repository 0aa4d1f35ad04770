"""Extracts features with the frozen backbone once, so that no trial has to."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.backbones import build_backbone
from trainer.inference.engines import fastest_engine
from trainer.types import Pixels, Say
from trainer.views import apply_view

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
        """Writes the features of the given rows of `images` as an array (rows, views, d) of float16."""
        features = pack.create_array(path, (len(rows), views, self._width), np.float16)
        for start in range(0, len(rows), BATCH):
            batch = images[rows[start : start + BATCH]]
            for view in range(views):
                features[start : start + len(batch), view] = self._engine(apply_view(batch, view))
            self._done(len(batch))
