"""What a file looks like once all is left out of it that its pixels don't need."""

import re
from typing import NamedTuple

XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


class Sound(NamedTuple):
    """A picture without its metadata, and how it is to be turned."""

    content: bytes
    orientation: int | None = None
    """EXIF's number, 1 to 8, of which 1 is upright; None if the decoder knows it."""
    pixels: int = 0
    """Of a format that takes memory for them as soon as it is opened; 0 for the others."""


def orientation_in_xmp(xmp: bytes) -> int:
    """The orientation in XMP, 1 to 8; 1 if there is none."""
    found = XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1
