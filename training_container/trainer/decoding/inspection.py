"""What prepare reads of an image: a digest of its pixels, its perceptual hash, and the picture in small sizes."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from trainer.decoding.colours import BITS, bands
from trainer.decoding.images import HeaderCallback, ignore_header, read_image, resize
from trainer.decoding.perceptual_hash import perceptual_hash
from trainer.decoding.saved_as import SAVED_AS
from trainer.decoding.thumbnail import thumbnail_bytes
from trainer.types import Pixels

STRETCHED = "Stretched to the full range of brightness, as they hold {bits} bits in 16"
FLAT = "Almost without contrast: see whether they show anything"
LEAST_CONTRAST = 8
"""Of 256 levels, between the darkest and the brightest hundredth of an image in any of its colours."""
CONTRAST_SIDE = 64


class Shrinking(NamedTuple):
    """Which images are also wanted as a PNG with a longer side of `longest_side` pixels: larger ones, by digest."""

    longest_side: int
    least: float
    """The first 64 bits of the digest, read as a fraction of 1, are at least this."""


NOTHING_SHRUNK = Shrinking(1, 1.0)


class Inspection(NamedTuple):
    """What was read of one usable image."""

    digest: str
    """SHA-256 of the upright RGB pixels at full size, in hexadecimal: equal for the same picture in any file format."""
    perceptual_hash: bytes
    """32 bytes, see perceptual_hash.py."""
    thumbnail: bytes
    """See thumbnail.py."""
    longer_side: int
    """In pixels."""
    pixels: dict[int, Pixels]
    """By size in pixels: (size, size, 3), RGB 0 to 255."""
    notices: tuple[str, ...] = ()
    """What a person should know of the image: each begins a sentence that goes on with the images' names."""
    saved_as: tuple[str, ...] = ()
    """See saved_as.py."""
    shrunk: bytes = b""
    """The PNG that `Shrinking` asks for, if it asks for this image."""


def inspect_image(
    path: Path, sizes: Iterable[int], on_header: HeaderCallback = ignore_header, shrinking: Shrinking = NOTHING_SHRUNK
) -> Inspection:
    """Reads the image at `path`, also as squares of the `sizes` in pixels; ImageRefused if it can't be used."""
    image = read_image(path, on_header)
    digest = hashlib.sha256(f"{image.width}x{image.height} RGB\n".encode())
    for box in bands(image):
        digest.update(image.crop(box).tobytes())
    pixels = {size: resize(image, size) for size in sizes}
    return Inspection(
        digest=digest.hexdigest(),
        perceptual_hash=perceptual_hash(image),
        thumbnail=thumbnail_bytes(image),
        longer_side=max(image.size),
        pixels=pixels,
        notices=tuple(_notices(image)),
        saved_as=image.info[SAVED_AS],
        shrunk=_shrunk(image, digest.hexdigest(), shrinking),
    )


def _shrunk(image: Image.Image, digest: str, wanted: Shrinking) -> bytes:
    if max(image.size) <= wanted.longest_side or int(digest[:16], 16) / 2**64 < wanted.least:
        return b""
    small = image.copy()
    small.thumbnail((wanted.longest_side, wanted.longest_side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    content = io.BytesIO()
    small.save(content, "PNG", compress_level=1)
    return content.getvalue()


def _notices(image: Image.Image) -> Iterator[str]:
    if BITS in image.info:
        yield STRETCHED.format(bits=image.info[BITS])
    sample = image.resize((CONTRAST_SIDE, CONTRAST_SIDE), Image.Resampling.NEAREST)
    levels = np.reshape(sample.histogram(), (3, 256)).cumsum(axis=1)
    hundredth = CONTRAST_SIDE**2 // 100
    darkest, brightest = ((levels > least).argmax(axis=1) for least in (hundredth, CONTRAST_SIDE**2 - hundredth - 1))
    if (brightest - darkest).max() < LEAST_CONTRAST:
        yield FLAT
