"""The time and memory that decoding one image may take, the same in prepare, predict and serve."""

from dataclasses import dataclass

ADVICE = "save it again as a plain JPEG or PNG"
TOO_LONG = f"too costly to decode: it takes more processor time than an image of its size should; {ADVICE}"
TOO_MUCH_MEMORY = f"too costly to decode: it takes more memory than an image of its size should; {ADVICE}"


@dataclass(frozen=True)
class DecodingLimits:
    """Ordinary images of 50 megapixels took at most 3.6 s of processor time and 1.0 GB when measured.

    Processor time does not depend on the machine's other load. The kernel enforces it everywhere, and the memory limit
    on Linux only.
    """

    seconds: float = 2.0
    """Processor time for any image."""
    seconds_per_megapixel: float = 0.2
    """Further processor time by the image's size."""
    memory: int = 1_500_000_000
    """Bytes of address space beyond those that the decoder has at its start."""
    timeout: float = 120.0
    """Seconds of wall-clock time, for a decoder that waits, such as for a disk that does not answer."""


DEFAULT_LIMITS = DecodingLimits()
