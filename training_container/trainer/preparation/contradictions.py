"""Finds pictures that are under two labels, one of which must be wrong, even where their pixels differ slightly.

Perceptual hashes propose for each image the few nearest ones under another label, and thumbnails decide.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from trainer.decoding.perceptual_hash import words_of
from trainer.decoding.thumbnail import thumbnail_in_view, thumbnail_of
from trainer.preparation.near_duplicates import Nearness, Pairs, near_pairs
from trainer.preparation.same_picture import is_same_picture
from trainer.types import Integers

PROPOSED = Nearness(70, 16)
PROPOSED_PER_IMAGE = 3
VERY_NEAR_BITS = 24
MAX_DIFFERENCE, MAX_DIFFERENCE_IF_VERY_NEAR = 4.5, 6.0
MAX_IN_VAIN = 20_000
"""Comparisons of thumbnails that find two pictures, about 1 ms each; the nearest hashes come first."""

_PAIRS_AT_ONCE = 1_000_000
Flags = npt.NDArray[np.bool_]
Wanted = Callable[[Integers, Integers], Flags]
"""Which pairs of rows are worth comparing: (n,), (n,) → (n,)."""


def contradictions(
    hashes: Sequence[bytes], thumbnails: Sequence[bytes | memoryview], labels: Sequence[str]
) -> dict[int, int]:
    """The rows of images whose picture is under another label too, each with the row of an image under another.

    Those that show the picture under the same label as one of them are among them. Of more than 64 images with nearly
    equal hashes, those that come first are compared with: give them in random order.
    """
    return _Search(hashes, thumbnails, labels).found()


class _Search:
    def __init__(
        self, hashes: Sequence[bytes], thumbnails: Sequence[bytes | memoryview], labels: Sequence[str]
    ) -> None:
        self._hashes = words_of(hashes)
        self._thumbnails = thumbnails
        self._labels = np.unique(np.asarray(labels), return_inverse=True)[1]
        self._compared: set[tuple[int, int]] = set()
        self._in_vain = 0

    def found(self) -> dict[int, int]:
        other_of: dict[int, int] = {}
        for one, other, bits, view in self._proposed(np.arange(len(self._hashes)), self._under_two_labels):
            if (one not in other_of or other not in other_of) and self._are_same(one, other, bits, view):
                other_of.setdefault(one, other)
                other_of.setdefault(other, one)
        new = list(other_of)
        while new and len(other_of) < len(self._hashes):
            before = len(other_of)
            for one, other, bits, view in self._proposed(np.array(sorted(new)), self._under_one_label):
                if other not in other_of and self._are_same(one, other, bits, view):
                    other_of[other] = other_of[one]
            new = list(other_of)[before:]
        return other_of

    def _under_two_labels(self, one: Integers, other: Integers) -> Flags:
        return np.asarray(self._labels[one] != self._labels[other])

    def _under_one_label(self, one: Integers, other: Integers) -> Flags:
        return np.asarray((self._labels[one] == self._labels[other]) & (one != other))

    def _proposed(self, rows: Integers, wanted: Wanted) -> list[tuple[int, int, int, int]]:
        """Pairs to compare: one, other, the bits in which they differ and one's view; those with fewest bits first."""
        tables = [np.empty((0, 4), np.int64)]
        for pairs in near_pairs(self._hashes, PROPOSED, rows):
            tables.append(_nearest_in(pairs, wanted(pairs.one, pairs.other)))
            if sum(map(len, tables)) > _PAIRS_AT_ONCE + 2 * PROPOSED_PER_IMAGE * len(self._hashes):
                tables = [_nearest_of_each(np.concatenate(tables))]
        table = _nearest_of_each(np.concatenate(tables))
        return [tuple(pair) for pair in table[np.argsort(table[:, 2], kind="stable")].tolist()]

    def _are_same(self, one: int, other: int, bits: int, view: int) -> bool:
        pair = (min(one, other), max(one, other))
        if self._in_vain >= MAX_IN_VAIN or pair in self._compared:
            return False
        self._compared.add(pair)
        seen, beside = self._thumbnails[one], self._thumbnails[other]
        most = MAX_DIFFERENCE_IF_VERY_NEAR if bits <= VERY_NEAR_BITS else MAX_DIFFERENCE
        same = bool(seen and beside) and is_same_picture(
            thumbnail_in_view(thumbnail_of(seen), view), thumbnail_of(beside), most
        )
        self._in_vain += not same
        return same


def _nearest_in(pairs: Pairs, wanted: Flags) -> Integers:
    """The nearest wanted pair of each `one`, as a table (n, 4) of one, other, bits and view."""
    one, other, bits = pairs.one[wanted], pairs.other[wanted], pairs.bits[wanted]
    if not len(one):
        return np.empty((0, 4), np.int64)
    first = np.flatnonzero(np.diff(one, prepend=-1))
    nearest = np.minimum.reduceat(bits * len(one) + np.arange(len(one)), first) % len(one)
    return np.stack([one[nearest], other[nearest], bits[nearest], np.full(len(nearest), pairs.view)], axis=1)


def _nearest_of_each(table: Integers) -> Integers:
    """The rows of the nearest few others of each `one`, each other once."""
    one, other, bits, _ = table.T
    table = table[np.lexsort((bits, other, one))]
    table = table[np.any(np.diff(table[:, :2], axis=0, prepend=-1), axis=1)]
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    rank = np.arange(len(table)) - np.searchsorted(table[:, 0], table[:, 0])
    return table[rank < PROPOSED_PER_IMAGE]
