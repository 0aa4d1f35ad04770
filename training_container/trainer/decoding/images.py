"""Reads one image file as a person sees it, or refuses it with a reason. Every verb reads images with it.

It sets no limit on time or memory: the decoder process does.
"""

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile

from trainer.decoding.amplification import check_amplification, tile_pixels
from trainer.decoding.colours import to_rgb
from trainer.decoding.kinds import SAVE, Signature, is_picture, name_of, recognize, without_padding
from trainer.decoding.limits import TOO_MUCH_MEMORY
from trainer.decoding.metadata import without_metadata
from trainer.decoding.saved_as import SAVED_AS, saved_as
from trainer.decoding.sound import Sound
from trainer.decoding.tiff import orientation_of
from trainer.errors import ImageRefused
from trainer.types import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")
MAX_PIXELS = 200_000_000
MAX_BYTES = 200_000_000
DECODERS = min(os.cpu_count() or 1, 8)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""
TOO_LARGE = f"too large: at most {MAX_PIXELS // 1_000_000} megapixels are read"
CUT_SHORT = "damaged: its end is missing; copy the file again"
DAMAGED = "damaged: its pixels can't be read; copy the file again"

HeaderCallback = Callable[[int], None]
"""Called with the number of pixels of an image whose header has been read, before its pixels are decoded."""

# Pillow itself refuses images of more than twice this size before it allocates memory; _check_size does the rest.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def ignore_header(_: int) -> None: ...


def has_image_suffix(path: Path) -> bool:
    """Whether a file's name says that it is an image of a known format."""
    return Image.registered_extensions().get(path.suffix.lower()) in FORMATS


def resize(image: Image.Image, image_size: int) -> Pixels:
    """The whole image squeezed into a square (image_size, image_size, 3), so that no part of the plant is cut off."""
    return np.asarray(image.resize((image_size, image_size), Image.Resampling.BICUBIC, reducing_gap=3.0))


def read_image(path: Path, on_header: HeaderCallback = ignore_header) -> Image.Image:
    """The image at `path` in 8-bit RGB, upright by its EXIF orientation; the first frame of an animation.

    Raises ImageRefused if the file is empty, damaged, too large or not an image of a format that is read.
    """
    _check_file(path)
    with path.open("rb") as file:
        return decode_image(file, on_header)


def decode_image(file: BinaryIO, on_header: HeaderCallback = ignore_header) -> Image.Image:
    """As `read_image`, from an open file whose size has been checked."""
    try:
        return _decoded(file, on_header)
    except MemoryError:
        raise ImageRefused(TOO_MUCH_MEMORY, is_image=True) from None


def _decoded(file: BinaryIO, on_header: HeaderCallback) -> Image.Image:
    content = without_padding(file.read())
    kind = recognize(content)
    if kind.kind not in FORMATS:
        raise ImageRefused(_not_read(kind), is_picture(kind))
    try:
        sound = without_metadata(kind.kind, content)
        del content
        return _pixels_of(kind, sound, on_header)
    except ImageRefused as refusal:
        refusal.is_image = True
        raise


def _pixels_of(kind: Signature, sound: Sound, on_header: HeaderCallback) -> Image.Image:
    if sound.pixels > MAX_PIXELS:
        raise ImageRefused(TOO_LARGE)
    if sound.pixels:
        on_header(sound.pixels)
    reopen = partial(_opened, sound.content, kind.kind)
    with reopen() as image:
        orientation = orientation_of(image.info.get("exif", b"")) if sound.orientation is None else sound.orientation
        _check_size(image)
        check_amplification(image, sound.content, MAX_PIXELS)
        if not sound.pixels:
            on_header(max(image.width * image.height, tile_pixels(image)))
        try:
            ways = saved_as(image)
            turned = _turned(to_rgb(image, reopen), orientation or 1)
            turned.info[SAVED_AS] = ways
            return turned
        except (ImageRefused, MemoryError):
            raise
        except Image.DecompressionBombError:
            raise ImageRefused(TOO_LARGE) from None
        except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile files: struct.error, ValueError…
            raise ImageRefused(CUT_SHORT if "truncated" in str(error).lower() else DAMAGED) from None


def _opened(content: bytes, kind: str) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(content), formats=[kind])
    except MemoryError:
        raise
    except Image.DecompressionBombError:
        raise ImageRefused(TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - as above
        raise ImageRefused(
            f"{name_of(kind)} of a kind that can't be read, or its start is damaged: copy the file again, or {SAVE}"
        ) from None


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    turn = TURNS.get(orientation)
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info
    return turned


def _not_read(kind: Signature) -> str:
    if not kind.kind:
        return (
            f"not an image in a format that is read: {', '.join(map(name_of, FORMATS[:-1]))} or {name_of(FORMATS[-1])}"
        )
    return f"{kind.kind}: {kind.advice}" if kind.advice else kind.kind


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
        raise ImageRefused(f"too large: {size:,} bytes, at most {MAX_BYTES:,} are read; save it as JPEG")
    if not os.access(path, os.R_OK):
        raise ImageRefused("its permissions don't let it be read")


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageRefused(
            f"too large: {image.width}x{image.height} pixels, at most {MAX_PIXELS // 1_000_000} megapixels are read"
        )
