"""What prepare reads of an image: a digest of its pixels, its perceptual hash, and the picture in small sizes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from trainer.decoding.images import Opened, bands, ignore_header, read_image, resize
from trainer.decoding.perceptual_hash import look_of
from trainer.types import Pixels


class Inspection(NamedTuple):
    """One usable image."""

    digest: str
    """SHA-256 of the upright RGB pixels at full size: equal for equal pictures, whatever their files are called."""
    look: bytes
    """See looks.py."""
    longer_side: int
    """In pixels."""
    pixels: dict[int, Pixels]
    """By size in pixels: (size, size, 3), RGB 0 to 255."""


def inspect_image(path: Path, sizes: Iterable[int], opened: Opened = ignore_header) -> Inspection:
    """The image at `path`; ImageRefused where it is empty, damaged, too large or no image of a known format."""
    image = read_image(path, opened)
    digest = hashlib.sha256(f"{image.width}x{image.height} RGB\n".encode())
    for box in bands(image):
        digest.update(image.crop(box).tobytes())
    pixels = {size: resize(image, size) for size in sizes}
    return Inspection(digest.hexdigest(), look_of(image), max(image.size), pixels)
