"""Runs images through the frozen backbone once, so that no trial has to."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from trainer import pack
from trainer.backbone import build_backbone
from trainer.images import Pixels
from trainer.views import turned

BATCH = 32


class Extractor:
    """The backbone at one image size; 32 images at a time use two cores as well as more would."""

    def __init__(self, image_size: int) -> None:
        self._backbone = build_backbone(image_size)
        self._size = int(self._backbone.output_shape[-1])

    def write(
        self,
        folder: Path,
        split: Literal["train", "validation"],
        images: Pixels,
        rows: Sequence[int],
        views: int,
        done: Callable[[int], None],
    ) -> None:
        """Writes `<split>_features.npy` for the given rows of `images`, and tells `done` how many images each batch held."""
        features = pack.create_array(folder, f"{split}_features", (len(rows), views, self._size), np.float16)
        for start in range(0, len(rows), BATCH):
            batch = images[rows[start : start + BATCH]]
            for view in range(views):
                features[start : start + len(batch), view] = self._backbone.predict_on_batch(turned(batch, view))
            done(len(batch))
