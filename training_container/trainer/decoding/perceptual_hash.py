"""Perceptual hashes of images: imagehash's phash, in 32 bytes.

The 256 bits are roughly the signs of the 16 by 16 lowest frequencies of the image's cosine transform. Turning or
mirroring an image transposes these frequencies and changes signs, so one hash covers all eight views.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.types import Integers

SIDE = 16
HASH_BYTES = SIDE * SIDE // 8
VIEWS = 8

Bits = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]

_ONES = np.unpackbits(np.arange(2**16, dtype=np.uint16).view(np.uint8)).reshape(-1, 16).sum(axis=1, dtype=np.uint8)
_ODD = np.arange(SIDE, dtype=np.uint8) % 2


def perceptual_hash(image: Image.Image) -> bytes:
    """32 bytes; images that look alike have similar hashes, whatever their size."""
    import imagehash  # noqa: PLC0415 - loads scipy, which only prepare needs

    side = SIDE * 4
    small = image.convert("L").resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.packbits(imagehash.phash(small, SIDE).hash).tobytes()


def words_of(hashes: Sequence[bytes]) -> Words:
    """Hashes (n,) as 16-bit words (n, 16)."""
    return np.frombuffer(b"".join(hashes), np.uint16).reshape(-1, SIDE)


def bits_of(words: Words) -> Bits:
    """The words of hashes (n, 16) as bits (n, 16, 16), one for each frequency."""
    return np.unpackbits(words.view(np.uint8).reshape(-1), axis=0).reshape(-1, SIDE, SIDE)


def bits_in_view(bits: Bits, view: int) -> Bits:
    """The bits (n, 16, 16) of the same images seen in one of the eight views; view 0 leaves them unchanged."""
    if view & 1:
        bits = bits.swapaxes(1, 2)
    if view & 2:
        bits = bits ^ _ODD
    if view & 4:
        bits = bits ^ _ODD[:, None]
    return bits


def packed(bits: Bits) -> Words:
    """Bits (n, …) as 16-bit words (n, k); each of the n has a multiple of 16 bits."""
    return np.packbits(bits.reshape(-1)).view(np.uint16).reshape(len(bits), bits[0].size // 16)


def count_ones(values: Words) -> Integers:
    """The number of bits set in each row of words: (n, k) → (n,)."""
    return np.asarray(_ONES[values].sum(axis=1), np.int64)


def distances(one: bytes, others: Sequence[bytes]) -> Integers:
    """The number of bits in which a hash differs from each of the others, each in its nearest view: (n,)."""
    words, bits = words_of([one]), bits_of(words_of(others))
    by_view = [count_ones(packed(bits_in_view(bits, view)) ^ words) for view in range(VIEWS)]
    return np.asarray(np.min(by_view, axis=0), np.int64)
