"""Reads one image file as a person sees it, or refuses it with a reason. Every verb reads images with it.

It sets no limit on time or memory: the decoder process does.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from trainer.decoding.amplification import check_amplification
from trainer.decoding.limits import TOO_MUCH_MEMORY
from trainer.errors import ImageRefused
from trainer.types import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 50_000_000
MAX_BYTES = 200_000_000
SNIFFED_BYTES = 4096
SIGNATURE_BYTES = 16
DECODERS = min(os.cpu_count() or 1, 8)
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")

HeaderCallback = Callable[[Image.Image], None]
"""Called with an image whose header has been read, before its pixels are decoded."""

# Pillow itself refuses images of more than twice this size before it allocates memory; _check_size does the rest.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
BAND_PIXELS = 1_000_000


def ignore_header(_: Image.Image) -> None: ...


def has_image_suffix(path: Path) -> bool:
    """Whether a file's name says that it is an image of a known format."""
    return Image.registered_extensions().get(path.suffix.lower()) in FORMATS


def resize(image: Image.Image, image_size: int) -> Pixels:
    """The whole image squeezed into a square (image_size, image_size, 3), so that no part of the plant is cut off."""
    return np.asarray(image.resize((image_size, image_size), Image.Resampling.BICUBIC, reducing_gap=3.0))


def shrink(path: Path, longest_side: int, on_header: HeaderCallback = ignore_header) -> bytes:
    """The image at `path` as a PNG whose longer side has at most `longest_side` pixels.

    Raises ImageRefused if the image can't be used.
    """
    image = read_image(path, on_header)
    image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=1)
    return content.getvalue()


def read_image(path: Path, on_header: HeaderCallback = ignore_header) -> Image.Image:
    """The image at `path` in 8-bit RGB, upright by its EXIF orientation; the first frame of an animation.

    Raises ImageRefused if the file is empty, damaged, too large or not an image of a known format.
    """
    _check_file(path)
    with path.open("rb") as file:
        return decode_image(file, on_header)


def decode_image(file: BinaryIO, on_header: HeaderCallback = ignore_header) -> Image.Image:
    """As `read_image`, from an open file whose size has been checked."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_size(image)
            on_header(image)
            check_amplification(image, MAX_PIXELS)
            ImageOps.exif_transpose(image, in_place=True)
            return _rgb(image)
    except UnidentifiedImageError:
        raise _unidentified(file) from None
    except ImageRefused:
        raise
    except MemoryError:
        raise ImageRefused(TOO_MUCH_MEMORY) from None
    except Image.DecompressionBombError:
        raise ImageRefused(f"too large: at most {MAX_PIXELS // 1_000_000} megapixels are read") from None
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile files: SyntaxError, struct.error…
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
        return _on_white(image)
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for box in bands(image):
        band = image.crop(box).convert("RGBA")
        whole.paste(Image.alpha_composite(Image.new("RGBA", band.size, "white"), band).convert("RGB"), box)
    return whole


def bands(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes from top to bottom: work on one at a time needs no memory for a second whole image."""
    rows = max(BAND_PIXELS // max(image.width, 1), 1)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _unidentified(file: BinaryIO) -> ImageRefused:
    file.seek(0)
    start = file.read(SNIFFED_BYTES)
    try:
        text = start.decode("utf-8", errors="strict" if len(start) < SNIFFED_BYTES else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return ImageRefused("not an image: a text file by its content", is_image=False)
    accepted = (Image.OPEN[known][1] for known in FORMATS)
    begins_as_one = any(accept(start[:SIGNATURE_BYTES]) is True for accept in accepted if accept)
    formats = "JPEG, PNG, WebP, BMP, TIFF or GIF"
    return ImageRefused(f"not an image in a format that is read: {formats}", is_image=begins_as_one or None)
