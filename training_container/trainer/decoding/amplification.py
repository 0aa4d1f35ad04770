"""What a format lets a small file ask for, checked before its pixels are decoded.

The limits of decoding/ hold without this: it refuses sooner, and where the kernel does not limit memory.
"""

import re

from PIL import Image, TiffImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from trainer.errors import ImageRefused

MOST_SCANS = 100
"""A decoder passes over all pixels for each scan of a progressive JPEG; programs write a dozen."""
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
# Within a scan 0xFF is followed by 0, or by one of eight marks to start again from.
SEGMENT = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")


def check_amplification(image: Image.Image, most_pixels: int) -> None:
    """ImageRefused where an opened image is of more scans, or of larger tiles, than any honest one."""
    if isinstance(image, JpegImageFile) and image.info.get("progressive") and image.fp:
        place = image.fp.tell()
        image.fp.seek(0)
        content = image.fp.read()
        image.fp.seek(place)
        # Cheap, and too many only where a thumbnail or what follows the image has some.
        if content.count(bytes((0xFF, START_OF_SCAN))) > MOST_SCANS and _scans(content) > MOST_SCANS:
            raise ImageRefused(f"too costly to decode: more than {MOST_SCANS} scans; save it again as a plain JPEG")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        sides = [image.tag_v2.get(tag) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH)]
        width, length = (side if isinstance(side, int) else 0 for side in sides)
        if width * length > most_pixels:
            raise ImageRefused(
                f"too large: tiles of {width}x{length} pixels, at most {most_pixels // 1_000_000} megapixels are read"
            )


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
