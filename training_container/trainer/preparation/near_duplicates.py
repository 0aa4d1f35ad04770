"""Photographs of the same plant at nearly the same time: which pictures look alike, in whatever view.

Two pictures are alike where at most 60 bits of their looks differ, and at most 7 of the 64 lowest frequencies; what
that finds, and that it finds nothing else, was measured on real photographs (docs/decisions/0008). The 64 lie in four
bands of 16: where no more than 7 differ, one band differs in no more than 1. So each picture is compared with those in
17 of a band's 65,536 buckets, and not with all others.
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
    bits_of,
    distances,
    ones,
    packed,
    turned,
    words_of,
)
from trainer.types import Integers

MOST_BITS = 60
MOST_LOW_BITS = 7

# Frequencies near the corner, the same set when transposed; without the mean brightness, of which all have some.
_LOW = np.array([u * SIDE + v for u in range(11) for v in range(11 - u) if (u, v) not in {(0, 0), (5, 5)}])
_BANDS = 4
_BUCKETS = 2**16
_NEARBY = np.array([0, *(1 << bit for bit in range(16))])
# Of a bucket with more pictures than that, all nearly alike, comparing with the first of them will do.
_MOST_OF_A_BUCKET = 64
_ROWS_AT_ONCE = 512
_PAIRS_AT_ONCE = 1_000_000


class Pairs(NamedTuple):
    """Row numbers of pictures, (n,) each: `one[i]` goes with `other[i]`."""

    one: Integers
    other: Integers


def crossing(looks: Sequence[bytes], ranks: Sequence[int]) -> dict[int, int]:
    """Of each group of alike pictures those of the lowest rank stay; for each other row, which of them it is like."""
    groups, rank = groups_of(looks), np.asarray(ranks)
    lowest = np.full(len(looks), np.iinfo(np.int64).max)
    np.minimum.at(lowest, groups, rank)
    leaving = np.flatnonzero(rank > lowest[groups])
    staying: dict[int, list[int]] = {int(group): [] for group in groups[leaving]}
    for row in np.flatnonzero((rank == lowest[groups]) & np.isin(groups, groups[leaving])):
        staying[int(groups[row])].append(int(row))
    return {int(row): _most_alike(looks, int(row), staying[int(groups[row])]) for row in leaving}


def groups_of(looks: Sequence[bytes]) -> Integers:
    """A group number for each look, (n,): pictures that are alike are in one group, and so are those alike to them.

    Memory is some hundred bytes a look.
    """
    unique, place = np.unique(words_of(looks), axis=0, return_inverse=True)
    group: Integers = np.arange(len(unique))
    waiting: list[Pairs] = []
    number = 0
    for pairs in _alike(unique):
        new = group[pairs.one] != group[pairs.other]
        if new.any():
            waiting.append(Pairs(pairs.one[new], pairs.other[new]))
            number += len(waiting[-1].one)
        if number > _PAIRS_AT_ONCE:
            group, waiting, number = _joined(group, waiting), [], 0
    return _joined(group, waiting)[place.reshape(-1)]


def _alike(looks: Words) -> Iterator[Pairs]:
    buckets = _Buckets(looks)
    for start in range(0, len(looks), _ROWS_AT_ONCE):
        bits = bits_of(looks[start : start + _ROWS_AT_ONCE])
        for view in range(VIEWS):
            seen = turned(bits, view)
            low, whole = _low(seen), packed(seen)
            for band in range(_BANDS):
                one, other = buckets.near(low, band)
                close = ones(low[one] ^ buckets.low[other]) <= MOST_LOW_BITS
                one, other = one[close], other[close]
                close = ones(whole[one] ^ looks[other]) <= MOST_BITS
                yield Pairs(start + one[close], other[close])


class _Buckets:
    """Pictures by each band of their lowest frequencies."""

    def __init__(self, looks: Words) -> None:
        self.low: Words = np.empty((len(looks), _BANDS), np.uint16)
        for start in range(0, len(looks), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            self.low[part] = _low(bits_of(looks[part]))
        self._rows = [np.argsort(band, kind="stable") for band in self.low.T]
        self._ends = [np.concatenate([[0], np.bincount(band, minlength=_BUCKETS).cumsum()]) for band in self.low.T]

    def near(self, low: Words, band: int) -> Pairs:
        """All that differ from the given ones in at most one bit of the band; `one` counts within the given ones."""
        keys = (low[:, band, None].astype(np.int64) ^ _NEARBY).reshape(-1)
        starts = self._ends[band][keys]
        sizes = np.minimum(self._ends[band][keys + 1] - starts, _MOST_OF_A_BUCKET)
        within = np.arange(sizes.sum()) - np.repeat(sizes.cumsum() - sizes, sizes)
        one = np.repeat(np.arange(len(keys)) // len(_NEARBY), sizes)
        return Pairs(one, self._rows[band][np.repeat(starts, sizes) + within])


def _low(bits: Bits) -> Words:
    """(n, 16, 16) → (n, bands): neighbouring frequencies go to different bands."""
    lowest = bits.reshape(len(bits), -1)[:, _LOW]
    return packed(lowest.reshape(len(bits), -1, _BANDS).swapaxes(1, 2))


def _joined(group: Integers, pairs: Sequence[Pairs]) -> Integers:
    """The group numbers when the two groups of each pair are one."""
    if not pairs:
        return group
    one = np.concatenate([group[some.one] for some in pairs])
    other = np.concatenate([group[some.other] for some in pairs])
    links = coo_array((np.ones(len(one), np.uint8), (one, other)), shape=(len(group), len(group)))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)[group]


def _most_alike(looks: Sequence[bytes], row: int, others: Sequence[int]) -> int:
    others = others[:_MOST_OF_A_BUCKET]
    return others[int(distances(looks[row], [looks[other] for other in others]).argmin())]
