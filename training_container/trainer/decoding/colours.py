"""Turns pixels of any kind into 8-bit RGB: many bits, transparency, and colours that are not red, green and blue."""

import sys
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile

from trainer.errors import ImageRefused

SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and microscopes store in 16: the fewest that hold the brightest value are taken as white."""
BITS = "bits"
"""In a picture's info, the bits that it was stretched from; missing if it was not."""
BAND_PIXELS = 1_000_000
# The form of 16 bits a colour that has the low byte where the decoder takes the high one.
OTHER_END = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}

Band = tuple[int, int, int, int]
Words = npt.NDArray[np.uint16]
Reopen = Callable[[], ImageFile.ImageFile]


def to_rgb(image: ImageFile.ImageFile, reopen: Reopen) -> Image.Image:
    """The image in 8-bit RGB, with white behind what is transparent; `reopen` opens the same file again, undecoded.

    Colour profiles are not applied, as training frameworks don't. Raises ImageRefused for numbers that are no colours.
    """
    raw_mode = _raw_mode(image)
    image.load()
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and image.format == "PPM"):
        return _from_16_bits(image, lambda box: np.asarray(image.crop(box)).astype(np.uint16))
    if image.mode in ("I", "F"):
        raise ImageRefused("its pixels are 32-bit numbers: save it with 8 or 16 bits a channel")
    if ";16" in raw_mode and image.mode in ("RGB", "RGBA") and _brightest(image) < 1 << (DEPTHS[-2] - 8):
        return _from_few_bits_a_colour(image, raw_mode, reopen)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode == "RGB":
        return image
    return _from_lab(image) if image.mode == "LAB" else image.convert("RGB")


def bands(image: Image.Image) -> Iterator[Band]:
    """Boxes from top to bottom: work on one at a time needs no memory for a second whole image."""
    rows = max(BAND_PIXELS // max(image.width, 1), 1)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _from_16_bits(image: Image.Image, values: Callable[[Band], Words]) -> Image.Image:
    """From `values` of 16 bits, gray or of three colours, a band at a time."""
    most = max(int(values(box).max()) for box in bands(image))
    bits = next(bits for bits in DEPTHS if most < 1 << bits)
    whole = Image.new("RGB", image.size)
    for box in bands(image):
        band = Image.fromarray((values(box) >> (bits - 8)).astype(np.uint8)).convert("RGB")
        if image.mode == "RGBA":
            band.putalpha(image.crop(box).getchannel("A"))
            band = _on_white(band)
        whole.paste(band, box)
    if most and bits < DEPTHS[-1]:
        whole.info[BITS] = bits
    return whole


def _from_few_bits_a_colour(image: Image.Image, raw_mode: str, reopen: Reopen) -> Image.Image:
    """The decoder keeps the high byte of each colour, which is little of few bits: the low bytes are decoded too."""
    low = _low_bytes(raw_mode, reopen)

    def values(box: Band) -> Words:
        words = np.asarray(image.crop(box).convert("RGB")).astype(np.uint16) << np.uint16(8)
        if low:
            words |= np.asarray(low.crop(box).convert("RGB"))
        return words

    return _from_16_bits(image, values)


def _low_bytes(raw_mode: str, reopen: Reopen) -> Image.Image | None:
    """The same file, its low bytes read as if they were the high ones; None for forms where the decoder can't."""
    if not raw_mode.startswith(("RGB;", "RGBX;", "RGBA;")):
        return None
    image = reopen()
    other = raw_mode[:-1] + OTHER_END[raw_mode[-1]]
    image.tile = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other) for tile in image.tile
    ]
    image.load()
    return image


def _raw_mode(image: ImageFile.ImageFile) -> str:
    args = image.tile[0].args if image.tile else ""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _brightest(image: Image.Image) -> int:
    return int(np.max(image.getextrema()[:3]))


def _from_lab(image: Image.Image) -> Image.Image:
    profiles = (ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"))
    converted = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert converted is not None
    return converted


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    whole = Image.new("RGB", image.size)
    for box in bands(image):
        band = image.crop(box).convert("RGBA")
        whole.paste(Image.alpha_composite(Image.new("RGBA", band.size, "white"), band).convert("RGB"), box)
    return whole
