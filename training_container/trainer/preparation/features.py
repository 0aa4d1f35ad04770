"""Extracts features with the frozen backbone once, so that no trial has to."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer import pack
from trainer.backbones import build_backbone
from trainer.decoding.images import DECODERS
from trainer.inference.engines import fastest_engine
from trainer.types import Engine, Pixels, Say
from trainer.vary import changed_once_or_twice

BATCH = 32


class _Batch(NamedTuple):
    """Images of one view, (k, size, size, 3), of k rows from `start`."""

    start: int
    view: int
    images: Pixels


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
        self._backbone = build_backbone(name, image_size, pretrained)
        self._engine = fastest_engine(self._backbone, say)
        self._say = say
        self._done = done

    @cached_property
    def _rounding_engine(self) -> Engine:
        """Made when the first changed view needs it."""
        return fastest_engine(self._backbone, self._say, exact=False)

    def write(self, path: Path, images: Pixels, rows: Sequence[int], views: int) -> None:
        """Writes the features of the given rows of `images` as an array (rows, views, d) of float16.

        View 0 is the image; each further one is the image changed at random, in the same way whenever it is prepared.
        The features of changed images may be rounded to three digits, as bfloat16 is twice as fast where it exists.
        """
        features = pack.create_array(path, (len(rows), views, self._backbone.output_shape[-1]), np.float16)
        for start, view, batch in _batches(images, rows, views):
            engine = self._rounding_engine if view else self._engine
            features[start : start + len(batch), view] = engine(batch)
            if view == views - 1:
                self._done(len(batch))


def _batches(images: Pixels, rows: Sequence[int], views: int) -> Iterator[_Batch]:
    """All views of each batch of rows, in order; one batch is made while the one before is looked at."""
    order = [(start, view) for start in range(0, len(rows), BATCH) for view in range(views)]
    with ThreadPoolExecutor(DECODERS) as pool:

        def begun(start: int, view: int) -> list[Future[Pixels]]:
            return [pool.submit(view_of, images[row], view) for row in rows[start : start + BATCH]]

        upcoming = begun(*order[0]) if order else []
        for place, following in zip(order, [*order[1:], None], strict=True):
            current, upcoming = upcoming, begun(*following) if following else []
            yield _Batch(*place, np.stack([image.result() for image in current]))


def view_of(image: Pixels, view: int) -> Pixels:
    """A square image in one view: unchanged in view 0, else changed at random, and always in the same way."""
    if view == 0:
        return image
    return changed_once_or_twice(image, np.random.default_rng((view, zlib.crc32(image.tobytes()))))
