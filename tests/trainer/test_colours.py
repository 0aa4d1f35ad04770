"""Pixels of any kind become 8-bit RGB as a person sees them."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.trainer.costly_pictures import png_chunk, saved
from tests.trainer.test_tiff_page import Writer
from trainer.decoding.colours import BITS
from trainer.decoding.images import decode_image

GRADIENT = np.arange(24 * 32).reshape(24, 32) * 256 // (24 * 32)


def shown(content: bytes) -> Image.Image:
    return decode_image(io.BytesIO(content))


def pixel(image: Image.Image) -> tuple[int, ...]:
    """The colour of a picture of one colour as it is shown."""
    kind = "TIFF" if image.mode in ("CMYK", "LAB", "YCbCr", "La") else "PNG"
    colours = np.unique(np.asarray(shown(saved(image, kind))).reshape(-1, 3), axis=0)
    assert len(colours) == 1
    return tuple(int(part) for part in colours[0])


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_gray_picture_of_few_bits_in_16_is_stretched(bits: int, kind: str) -> None:
    deep = (GRADIENT << (bits - 8)).astype(np.uint16)
    image = shown(saved(Image.fromarray(deep), kind))
    assert np.array_equal(np.asarray(image)[..., 0], GRADIENT)
    assert image.info.get(BITS) == (bits if bits < 16 else None)


def deep_png(values: npt.NDArray[np.uint16], colour_type: int) -> bytes:
    """A PNG with 16 bits for each of its channels: (height, width, channels)."""
    height, width, channels = values.shape
    rows = np.zeros((height, 1 + width * channels * 2), np.uint8)
    rows[:, 1:] = values.astype(">u2").view(np.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows.tobytes())), png_chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_a_coloured_picture_of_few_bits_in_16_is_stretched(bits: int, alpha: bool) -> None:
    colours = np.stack([GRADIENT, GRADIENT[::-1], GRADIENT // 2], axis=-1)
    deep = (colours << (bits - 8)).astype(np.uint16)
    if alpha:
        deep = np.concatenate([deep, np.full((24, 32, 1), 0xFFFF, np.uint16)], axis=-1)
    image = shown(deep_png(deep, 6 if alpha else 2))
    assert np.array_equal(np.asarray(image), colours)
    assert image.info.get(BITS) == (bits if bits < 16 else None)


def test_a_coloured_tiff_of_12_bits_in_16_is_stretched() -> None:
    for order in "<>":
        writer = Writer(order)
        words = np.full((8, 8, 3), 0x0800, order + "u2")
        place = writer.add(words.tobytes())
        first = writer.page(Image.new("RGB", (8, 8)), (258, 3, [16] * 3), (273, 4, [place]), (279, 4, [words.nbytes]))
        writer.add(b"")
        assert (np.asarray(shown(writer.file(first))) == 0x80).all()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("L", (4, 4), 90), (90, 90, 90)),
        (Image.new("LA", (4, 4), (90, 255)), (90, 90, 90)),
        (Image.new("LA", (4, 4), (90, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (200, 0, 0, 51)), (244, 204, 204)),
        (Image.new("RGBA", (4, 4), (200, 0, 0, 51)).quantize(4), (244, 204, 204)),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("LAB", (4, 4), (128, 128, 128)), (119, 119, 119)),
        (Image.new("YCbCr", (4, 4), (90, 128, 128)), (90, 90, 90)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_a_picture_of_any_mode_is_shown_in_its_colour_on_white(image: Image.Image, expected: tuple[int, ...]) -> None:
    assert pixel(image) == pytest.approx(expected, abs=1)
