"""Reading one image: refusals with their reasons, and images as a person sees them."""

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.trainer.costly_pictures import gif_of_a_frame, jpeg_of_scans, tiff_of_a_tile
from tests.trainer.painting import paint
from trainer.decoding.images import FORMATS, read_image
from trainer.decoding.inspection import inspect_image
from trainer.errors import ImageRefused

# Decoders hide warnings; Pillow has one for each kind of damage.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

GREEN = (40, 160, 60)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG whose header claims `width` by `height` pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + checked + struct.pack(">I", 10**6) + b"IDAT"


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "an empty file"),
    "text": ("Fünf Bilder folgen".encode, "not an image: a text file by its content"),
    "long text": (lambda: "ü".encode() * 9999, "not an image: a text file by its content"),
    "other format": (lambda: b"\x01\x02\x03" + bytes(range(256)), "not an image in a format that is read: JPEG, PNG,"),
    "cut short": (lambda: encoded(paint(GREEN, 1), "JPEG")[:700], "damaged"),
    "spoilt inside": (lambda: encoded(paint(GREEN, 1))[:2000] + bytes(2000), "damaged"),
    "bomb": (lambda: png_header(15_000, 15_000), "too large: 15000x15000 pixels, at most 200 megapixels are read"),
    "larger bomb": (lambda: png_header(30_000, 30_000), "too large: at most 200 megapixels are read"),
    "frame beyond its GIF": (lambda: gif_of_a_frame(65_535), "too large: at most 200 megapixels are read"),
    "tiles beyond their TIFF": (lambda: tiff_of_a_tile(14_200), "too large: tiles of 14200x14200 pixels"),
    "many scans": (lambda: jpeg_of_scans(101, 16), "too costly to decode: more than 100 scans"),
    "numbers, not colours": (lambda: encoded(Image.new("F", (8, 8)), "TIFF"), "32-bit numbers"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    content, reason = BAD[name]
    file = tmp_path / "image.jpg"
    file.write_bytes(content())
    with pytest.raises(ImageRefused, match=reason):
        inspect_image(file, [32])


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    file = tmp_path / "huge.png"
    Image.new("1", (15_000, 15_000)).save(file)
    with pytest.raises(ImageRefused, match="15000x15000"):
        inspect_image(file, [32])


def test_a_phones_108_megapixels_are_read(tmp_path: Path) -> None:
    Image.new("L", (12_000, 9_000)).save(tmp_path / "large.jpg")
    assert inspect_image(tmp_path / "large.jpg", [32]).longer_side == 12_000


def test_only_the_scans_of_the_image_itself_are_counted(tmp_path: Path) -> None:
    file, scan = tmp_path / "many.jpg", b"\xff\xda"
    flat = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(flat, "JPEG", progressive=True, comment=scan * 150)
    file.write_bytes(flat.getvalue() + scan * 150)
    assert inspect_image(file, [32]).longer_side == 64


def test_links_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(encoded(paint(GREEN, 1)))
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    with pytest.raises(ImageRefused, match="a link"):
        inspect_image(tmp_path / "link.png", [32])
    with pytest.raises(ImageRefused, match="no such file"):
        inspect_image(tmp_path / "missing.png", [32])


@given(
    cut=st.integers(0, 3000),
    garbage=st.binary(max_size=64),
    kind=st.sampled_from(FORMATS),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_file_is_read_or_refused(tmp_path: Path, cut: int, garbage: bytes, kind: str) -> None:
    whole = encoded(paint(GREEN, 1, side=24), kind)
    file = tmp_path / "image"
    file.write_bytes(whole[:cut] + garbage + whole[cut + len(garbage) :])
    with suppress(ImageRefused):
        assert inspect_image(file, [16]).pixels[16].shape == (16, 16, 3)


def test_equal_images_have_equal_digests_in_any_file_format(tmp_path: Path) -> None:
    for name, kind in (("a.png", "PNG"), ("b.bmp", "BMP")):
        (tmp_path / name).write_bytes(encoded(paint(GREEN, 1), kind))
    (tmp_path / "c.png").write_bytes(encoded(paint(GREEN, 2)))
    a, b, c = (inspect_image(tmp_path / name, [32]).digest for name in ("a.png", "b.bmp", "c.png"))
    assert a == b != c


def test_the_digest_does_not_depend_on_the_image_size(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(paint(GREEN, 1)))
    assert inspect_image(tmp_path / "a.png", [32]).digest == inspect_image(tmp_path / "a.png", [64]).digest


def test_a_photograph_taken_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    upright = Image.new("RGB", (40, 20), "black")
    upright.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated clockwise by 90 degrees
    upright.rotate(90, expand=True).save(tmp_path / "side.png", exif=exif)
    assert np.array_equal(np.asarray(read_image(tmp_path / "side.png")), np.asarray(upright))


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (np.asarray(read_image(tmp_path / "clear.png")) == 255).all()


def test_an_image_with_16_bits_per_channel_keeps_its_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 0x80FF, np.uint16)).save(tmp_path / "deep.png")
    assert (np.asarray(read_image(tmp_path / "deep.png")) == 0x80).all()


def test_only_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    red.save(tmp_path / "film.gif", save_all=True, append_images=[blue])
    assert tuple(np.asarray(read_image(tmp_path / "film.gif"))[0, 0]) == (255, 0, 0)
