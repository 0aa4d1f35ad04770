"""What decoding one picture may cost, the same in prepare, predict and serve."""

from dataclasses import dataclass

SMALLER = "save it again as a plain JPEG or PNG"
TOO_LONG = f"too costly to decode: it takes more processor time than a picture of its size should; {SMALLER}"
TOO_MUCH_MEMORY = f"too costly to decode: it takes more memory than a picture of its size should; {SMALLER}"


@dataclass(frozen=True)
class Limits:
    """The dearest honest pictures, of 50 megapixels, took 3.6 s of a core and 1.0 GB where they were measured.

    Processor time does not depend on what else the machine does. The kernel holds processes to it everywhere, to the
    memory on Linux alone.
    """

    seconds: float = 2.0
    """Of processor time, whatever a picture's size."""
    seconds_per_megapixel: float = 0.2
    """On top of that."""
    memory: int = 1_500_000_000
    """Bytes of address space beyond what a decoder has when it starts."""
    patience: float = 120.0
    """Seconds by the clock, for a decoder that waits rather than works: a disk that doesn't answer, say."""


LIMITS = Limits()
