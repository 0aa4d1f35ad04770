"""The time and memory that decoding one image may take, the same in prepare, predict and serve."""

from dataclasses import dataclass

ADVICE = "save it again as a plain JPEG or PNG"
TOO_LONG = f"too costly to decode: it takes more processor time than an image of its size should; {ADVICE}"
TOO_MUCH_MEMORY = f"too costly to decode: it takes more memory than an image of its size should; {ADVICE}"


PIXELS_AT_ONCE = 200_000_000
"""Of all large images together that one pool decodes at the same time."""
LARGE_PIXELS = 5_000_000
"""An image of more pixels waits for room; the others are always decoded at once."""


@dataclass(frozen=True)
class DecodingLimits:
    """Ordinary images of 100 megapixels took at most 9.3 s of processor time and 19 bytes a pixel when measured.

    Processor time does not depend on the machine's other load. The kernel enforces it everywhere, and the memory limit
    on Linux only.
    """

    seconds: float = 2.0
    """Processor time for any image."""
    seconds_per_megapixel: float = 0.2
    """Further processor time by the image's size."""
    memory: int = 300_000_000
    """Bytes of address space beyond those that the decoder has at its start and twice those of the file."""
    memory_per_pixel: int = 20
    """Further bytes by the image's size."""
    pixels: int = 200_000_000
    """The most that an image may have."""
    timeout: float = 120.0
    """Seconds of wall-clock time, and one more a megapixel of a large image, for a decoder that waits, such as for a
    disk that does not answer."""


DEFAULT_LIMITS = DecodingLimits()
