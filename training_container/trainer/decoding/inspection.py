"""What prepare reads of an image: a digest of its pixels, its perceptual hash, and the picture in small sizes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from trainer.decoding.colours import bands
from trainer.decoding.images import HeaderCallback, ignore_header, read_image, resize
from trainer.decoding.perceptual_hash import perceptual_hash
from trainer.decoding.thumbnail import thumbnail_bytes
from trainer.types import Pixels


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


def inspect_image(path: Path, sizes: Iterable[int], on_header: HeaderCallback = ignore_header) -> Inspection:
    """Reads the image at `path`, also as squares of the `sizes` in pixels; ImageRefused if it can't be used."""
    image = read_image(path, on_header)
    digest = hashlib.sha256(f"{image.width}x{image.height} RGB\n".encode())
    for box in bands(image):
        digest.update(image.crop(box).tobytes())
    pixels = {size: resize(image, size) for size in sizes}
    return Inspection(digest.hexdigest(), perceptual_hash(image), thumbnail_bytes(image), max(image.size), pixels)
