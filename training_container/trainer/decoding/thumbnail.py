"""Thumbnails of images: enough to tell whether two files show the same picture, in 2,496 bytes."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from trainer.types import Floats

GREY_SIDE = 48
COLOUR_SIDE = 8
THUMBNAIL_BYTES = GREY_SIDE**2 + 3 * COLOUR_SIDE**2


class Thumbnail(NamedTuple):
    """A small picture, squeezed into a square, 0 to 255."""

    grey: Floats
    """(48, 48)"""
    colour: Floats
    """(8, 8, 3)"""


def thumbnail_bytes(image: Image.Image) -> bytes:
    """The thumbnail of an RGB image, in THUMBNAIL_BYTES bytes."""
    small = image.resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BOX, reducing_gap=3.0)
    return small.convert("L").tobytes() + small.resize((COLOUR_SIDE, COLOUR_SIDE), Image.Resampling.BOX).tobytes()


def thumbnail_of(content: bytes | memoryview) -> Thumbnail:
    """The thumbnail in these bytes."""
    pixels = np.frombuffer(content, np.uint8).astype(np.float32)
    grey, colour = pixels[: GREY_SIDE**2], pixels[GREY_SIDE**2 :]
    return Thumbnail(grey.reshape(GREY_SIDE, GREY_SIDE), colour.reshape(COLOUR_SIDE, COLOUR_SIDE, 3))


def thumbnail_in_view(thumbnail: Thumbnail, view: int) -> Thumbnail:
    """The thumbnail in one of the eight views, which have the same numbers as in `bits_in_view`."""
    return Thumbnail(_in_view(thumbnail.grey, view), _in_view(thumbnail.colour, view))


def _in_view(pixels: Floats, view: int) -> Floats:
    if view & 1:
        pixels = pixels.swapaxes(0, 1)
    if view & 2:
        pixels = pixels[:, ::-1]
    if view & 4:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
