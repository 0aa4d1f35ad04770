"""Finds near-duplicates, such as photographs of the same plant at nearly the same time, in any of the eight views.

Two images are near-duplicates if at most 60 bits of their perceptual hashes differ, and at most 7 bits of the 64 lowest
frequencies; docs/decisions/0008 has the measurements on real photographs. The 64 bits form four bands of 16: if at most
7 bits differ, some band differs in at most one. So each image is compared only with those in 17 of a band's 65,536
buckets, and not with all others.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from trainer.decoding.perceptual_hash import (
    SIDE,
    VIEWS,
    Bits,
    Words,
    bits_in_view,
    bits_of,
    count_ones,
    distances,
    packed,
    words_of,
)
from trainer.types import Integers


class Nearness(NamedTuple):
    """In how many bits of their hashes, and of the 64 lowest frequencies, two images differ at most."""

    bits: int
    low_bits: int


NEAR_DUPLICATES = Nearness(60, 7)

# Frequencies near the corner, a set that stays the same when transposed; without the mean brightness at (0, 0).
_LOW = np.array([u * SIDE + v for u in range(11) for v in range(11 - u) if (u, v) not in {(0, 0), (5, 5)}])
_BANDS = 4
_BUCKETS = 2**16
_NEARBY = np.array([0, *(1 << bit for bit in range(16))])
# In a larger bucket all images are nearly alike, so comparing with its first ones is enough.
_MAX_PER_BUCKET = 64
_ROWS_AT_ONCE = 512
_PAIRS_AT_ONCE = 1_000_000


class Pairs(NamedTuple):
    """Row numbers of images, (n,) each: `one[i]`, in ascending order, and `other[i]` are a pair.

    The image `one[i]`, seen in `view`, differs from `other[i]` in `bits[i]` bits of its hash.
    """

    one: Integers
    other: Integers
    bits: Integers
    view: int


def outranked(hashes: Sequence[bytes], ranks: Sequence[int]) -> dict[int, int]:
    """The rows to leave out, each with the row of its nearest image that stays: the lowest rank of each group stays."""
    groups, rank = duplicate_groups(hashes), np.asarray(ranks)
    lowest = np.full(len(hashes), np.iinfo(np.int64).max)
    np.minimum.at(lowest, groups, rank)
    left_out = np.flatnonzero(rank > lowest[groups])
    kept: dict[int, list[int]] = {int(group): [] for group in groups[left_out]}
    for row in np.flatnonzero((rank == lowest[groups]) & np.isin(groups, groups[left_out])):
        kept[int(groups[row])].append(int(row))
    return {int(row): _nearest(hashes, int(row), kept[int(groups[row])]) for row in left_out}


def duplicate_groups(hashes: Sequence[bytes]) -> Integers:
    """A group number for each hash, (n,): near-duplicates, and their near-duplicates in turn, have the same number.

    Takes some hundred bytes of memory for each hash.
    """
    unique, place = np.unique(words_of(hashes), axis=0, return_inverse=True)
    group: Integers = np.arange(len(unique))
    waiting: list[tuple[Integers, Integers]] = []
    number = 0
    for pairs in near_pairs(unique, NEAR_DUPLICATES):
        new = group[pairs.one] != group[pairs.other]
        if new.any():
            waiting.append((pairs.one[new], pairs.other[new]))
            number += int(new.sum())
        if number > _PAIRS_AT_ONCE:
            group, waiting, number = _merged(group, waiting), [], 0
    return _merged(group, waiting)[place.reshape(-1)]


def near_pairs(hashes: Words, most: Nearness, rows: Integers | None = None) -> Iterator[Pairs]:
    """Pairs of hashes (n, 16) that are this near, `one` among the given rows; a pair can come several times.

    All pairs that differ in at most 7 low bits are found, and those that differ in more if they are alike in a band.
    """
    buckets = _Buckets(hashes)
    rows = np.arange(len(hashes)) if rows is None else rows
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        asked = rows[start : start + _ROWS_AT_ONCE]
        bits = bits_of(hashes[asked])
        for view in range(VIEWS):
            seen = bits_in_view(bits, view)
            low, whole = _low(seen), packed(seen)
            for band in range(_BANDS):
                one, other = buckets.near(low, band)
                close = count_ones(low[one] ^ buckets.low[other]) <= most.low_bits
                one, other = one[close], other[close]
                differ = count_ones(whole[one] ^ hashes[other])
                close = differ <= most.bits
                yield Pairs(asked[one[close]], other[close], differ[close], view)


class _Buckets:
    """The images by each band of their lowest frequencies."""

    def __init__(self, hashes: Words) -> None:
        self.low: Words = np.empty((len(hashes), _BANDS), np.uint16)
        for start in range(0, len(hashes), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            self.low[part] = _low(bits_of(hashes[part]))
        self._rows = [np.argsort(band, kind="stable") for band in self.low.T]
        self._ends = [np.concatenate([[0], np.bincount(band, minlength=_BUCKETS).cumsum()]) for band in self.low.T]

    def near(self, low: Words, band: int) -> tuple[Integers, Integers]:
        """The images that differ from the given ones in at most one bit of the band; `one` is a row of `low`."""
        keys = (low[:, band, None].astype(np.int64) ^ _NEARBY).reshape(-1)
        starts = self._ends[band][keys]
        sizes = np.minimum(self._ends[band][keys + 1] - starts, _MAX_PER_BUCKET)
        within = np.arange(sizes.sum()) - np.repeat(sizes.cumsum() - sizes, sizes)
        one = np.repeat(np.arange(len(keys)) // len(_NEARBY), sizes)
        return one, self._rows[band][np.repeat(starts, sizes) + within]


def _low(bits: Bits) -> Words:
    """Bits (n, 16, 16) → the bands of their lowest frequencies (n, 4); neighbours go to different bands."""
    lowest = bits.reshape(len(bits), -1)[:, _LOW]
    return packed(lowest.reshape(len(bits), -1, _BANDS).swapaxes(1, 2))


def _merged(group: Integers, pairs: Sequence[tuple[Integers, Integers]]) -> Integers:
    """The group numbers after the two groups of each pair are merged."""
    if not pairs:
        return group
    one = np.concatenate([group[some] for some, _ in pairs])
    other = np.concatenate([group[some] for _, some in pairs])
    links = coo_array((np.ones(len(one), np.uint8), (one, other)), shape=(len(group), len(group)))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)[group]


def _nearest(hashes: Sequence[bytes], row: int, others: Sequence[int]) -> int:
    others = others[:_MAX_PER_BUCKET]
    return others[int(distances(hashes[row], [hashes[other] for other in others]).argmin())]
