"""What a picture looks like, in 32 bytes: imagehash's phash, which tells how much of each low frequency is in it.

Its 256 bits are, nearly, the signs of the 16 by 16 lowest frequencies of the picture's cosine transform. Turning or
mirroring a picture transposes these frequencies and changes signs: so one look stands for all eight views.
"""

from collections.abc import Sequence

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.types import Integers

SIDE = 16
LOOK_BYTES = SIDE * SIDE // 8
VIEWS = 8

Bits = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]

_ONES = np.unpackbits(np.arange(2**16, dtype=np.uint16).view(np.uint8)).reshape(-1, 16).sum(axis=1, dtype=np.uint8)
_ODD = np.arange(SIDE, dtype=np.uint8) % 2


def look_of(image: Image.Image) -> bytes:
    """Nearly the same for pictures that look nearly the same, whatever their size."""
    side = SIDE * 4
    small = image.convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.packbits(imagehash.phash(small, SIDE).hash).tobytes()


def words_of(looks: Sequence[bytes]) -> Words:
    """The looks (n,) as words of 16 bits: (n, 16)."""
    return np.frombuffer(b"".join(looks), np.uint16).reshape(-1, SIDE)


def bits_of(words: Words) -> Bits:
    """Words of looks (n, 16) as frequencies (n, 16, 16), each 0 or 1."""
    return np.unpackbits(words.view(np.uint8).reshape(-1), axis=0).reshape(-1, SIDE, SIDE)


def turned(bits: Bits, view: int) -> Bits:
    """The frequencies (n, 16, 16) of the pictures in one of their eight views, 0 as they are."""
    if view & 1:
        bits = bits.swapaxes(1, 2)
    if view & 2:
        bits = bits ^ _ODD
    if view & 4:
        bits = bits ^ _ODD[:, None]
    return bits


def packed(bits: Bits) -> Words:
    """Bits (n, …), some multiple of sixteen for each of the n, as words: (n, k)."""
    return np.packbits(bits.reshape(-1)).view(np.uint16).reshape(len(bits), bits[0].size // 16)


def ones(values: Words) -> Integers:
    """How many bits are set in the words of each row: (n, k) → (n,)."""
    return np.asarray(_ONES[values].sum(axis=1), np.int64)


def distances(look: bytes, others: Sequence[bytes]) -> Integers:
    """In how many bits the look differs from each other one, in that view of it which is nearest: (n,)."""
    one, bits = words_of([look]), bits_of(words_of(others))
    return np.asarray(np.min([ones(packed(turned(bits, view)) ^ one) for view in range(VIEWS)], axis=0), np.int64)
