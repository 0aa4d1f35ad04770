"""Reads one image file as a person sees it, or says why it can't be used: the one way in for every verb."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from trainer.errors import ImageRefused
from trainer.looks import look_of

Pixels = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 50_000_000
MAX_BYTES = 200_000_000
SNIFFED_BYTES = 4096
DECODERS = min(os.cpu_count() or 1, 8)
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")

# read_image checks the size in the header itself, so that the reason can name it.
Image.MAX_IMAGE_PIXELS = None


class Photo(NamedTuple):
    """One usable image."""

    digest: str
    """SHA-256 of the upright RGB pixels at full size: equal for equal pictures, whatever their files are called."""
    look: bytes
    """See looks.py."""
    longer_side: int
    """In pixels."""
    pixels: dict[int, Pixels]
    """By size in pixels: (size, size, 3), RGB 0 to 255."""


def read_photo(path: Path, sizes: Iterable[int]) -> Photo:
    """The image at `path`; ImageRefused where it is empty, damaged, too large or no image of a known format."""
    image = read_image(path)
    digest = hashlib.sha256(f"{image.width}x{image.height} RGB\n".encode() + image.tobytes()).hexdigest()
    return Photo(digest, look_of(image), max(image.size), {size: resize(image, size) for size in sizes})


def resize(image: Image.Image, image_size: int) -> Pixels:
    """The whole picture as a square: the aspect ratio gives way, no part of the plant is cut off."""
    return np.asarray(image.resize((image_size, image_size), Image.Resampling.BICUBIC, reducing_gap=3.0))


def read_image(path: Path) -> Image.Image:
    """Decoded, turned upright by its EXIF orientation, in 8-bit RGB. Of an animation, the first frame."""
    _check_file(path)
    with path.open("rb") as file:
        return decode_image(file)


def decode_image(file: BinaryIO) -> Image.Image:
    """What `read_image` gives, of the content of a file whose number of bytes was checked."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_size(image)
            return _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise ImageRefused(_what_it_is_instead(file)) from None
    except ImageRefused:
        raise
    except Exception as error:  # noqa: BLE001 - decoders of hostile files raise anything: SyntaxError, struct.error, MemoryError…
        raise ImageRefused(f"damaged: {error or type(error).__name__}") from None


def _check_file(path: Path) -> None:
    if path.is_symlink():
        raise ImageRefused("a link, which is not followed")
    if not path.exists():
        raise ImageRefused("no such file")
    if not path.is_file():
        raise ImageRefused("not a regular file")
    size = path.stat().st_size
    if size == 0:
        raise ImageRefused("an empty file")
    if size > MAX_BYTES:
        raise ImageRefused(f"too large: {size:,} bytes, at most {MAX_BYTES:,} are read")
    if not os.access(path, os.R_OK):
        raise ImageRefused("its permissions don't let it be read")


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageRefused(
            f"too large: {image.width}x{image.height} pixels, at most {MAX_PIXELS // 1_000_000} megapixels are read"
        )


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT_MODES:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ImageRefused("its pixels are 32-bit numbers: save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _what_it_is_instead(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(SNIFFED_BYTES)
    try:
        text = start.decode("utf-8", errors="strict" if len(start) < SNIFFED_BYTES else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return "not an image: a text file by its content"
    return "not an image in a format that is read: JPEG, PNG, WebP, BMP, TIFF or GIF"
