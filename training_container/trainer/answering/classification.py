"""Decodes the images of a request and has them classified, some at a time."""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from threading import Lock

import numpy as np

from trainer.answering.verdicts import Verdicts
from trainer.decoding.pool import DecoderPool
from trainer.errors import DecoderFailed, DecodersClosed, ImageRefused, RequestRefused
from trainer.types import Pixels

Classify = Callable[[Pixels], Verdicts]
ANSWERED_AT_ONCE = 8
"""Images that are decoded and classified at a time."""
EMPTY = ImageRefused("it is empty")
LATE = RequestRefused(
    HTTPStatus.SERVICE_UNAVAILABLE, "The images were not answered in time: send fewer or smaller ones."
)


class Classification:
    """Classifies for several threads: they decode images in parallel, and take turns with the model."""

    def __init__(self, decoders: DecoderPool) -> None:
        self._decoders = decoders
        self._turn = Lock()

    def answers(self, images: Sequence[bytes], image_size: int, classify: Classify, until: float) -> Verdicts:
        """The answers on image files, each squeezed into a square of `image_size` pixels for `classify`.

        Raises RequestRefused, which names the image that can't be used, or if `until` has come by time.monotonic().
        """
        starts = range(0, len(images), ANSWERED_AT_ONCE)
        batches = (range(start, min(start + ANSWERED_AT_ONCE, len(images))) for start in starts)
        return Verdicts.joined([self._classified(images, rows, image_size, classify, until) for rows in batches])

    def _classified(
        self, images: Sequence[bytes], rows: range, image_size: int, classify: Classify, until: float
    ) -> Verdicts:
        """Decodes one image at a time, so that all requests share the decoders equally."""
        pixels = [self._decoded(images[row], image_size, until, _which(row, len(images))) for row in rows]
        with self._turn:
            return classify(np.stack(pixels))

    def _decoded(self, content: bytes, image_size: int, until: float, which: str) -> Pixels:
        if time.monotonic() > until:
            raise LATE
        try:
            (pixels,) = self._decoders.pixels([content], image_size) if content else [EMPTY]
        except (DecodersClosed, DecoderFailed) as error:
            raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        if isinstance(pixels, ImageRefused):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, f"{which} can't be used: {pixels}.")
        return pixels


def _which(row: int, of: int) -> str:
    return "The image" if of == 1 else f"Image {row + 1} of {of}"
