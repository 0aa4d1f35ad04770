"""Refuses small files that would take much time or memory to decode, before their pixels are decoded.

The decoder process has limits anyway. This check refuses such files sooner, and on systems without a memory limit.
"""

import re

from PIL import Image, TiffImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from trainer.errors import ImageRefused

MAX_SCANS = 100
"""A decoder visits every pixel once for each scan of a progressive JPEG; programs write about ten scans."""
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
# Within a scan, 0xFF is followed by 0 or by one of eight restart markers.
SEGMENT = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")


def check_amplification(image: Image.Image, content: bytes, max_pixels: int) -> None:
    """Raises ImageRefused if an opened image has more than 100 JPEG scans, or TIFF tiles above `max_pixels`."""
    scan = bytes((0xFF, START_OF_SCAN))
    is_progressive = isinstance(image, JpegImageFile) and image.info.get("progressive")
    # The count is cheap, but includes markers in a thumbnail or after the image.
    if is_progressive and content.count(scan) > MAX_SCANS and _scans(content) > MAX_SCANS:
        raise ImageRefused(f"too costly to decode: more than {MAX_SCANS} scans; save it again as a plain JPEG")
    width, length = _tile(image)
    if width * length > max_pixels:
        raise ImageRefused(
            f"too large: tiles of {width}x{length} pixels, at most {max_pixels // 1_000_000} megapixels are read"
        )


def tile_pixels(image: Image.Image) -> int:
    """The pixels of a TIFF's tile, which may be larger than the picture; 0 if it has none."""
    width, length = _tile(image)
    return width * length


def _tile(image: Image.Image) -> tuple[int, int]:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0, 0
    sides = [image.tag_v2.get(tag) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
    width, length = (side if isinstance(side, int) else 0 for side in sides)
    return width, length


def _scans(content: bytes) -> int:
    scans = place = 0
    while segment := SEGMENT.search(content, place):
        kind, place = segment[1][0], segment.end()
        if kind == END_OF_IMAGE:
            break
        scans += kind == START_OF_SCAN
        if kind != START_OF_IMAGE:
            place += int.from_bytes(content[place : place + 2])
    return scans
