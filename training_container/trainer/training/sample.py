"""A stratified sample of a split: enough images to compare heads on, when there are very many."""

import zlib
from collections.abc import Sequence

import numpy as np

from trainer.types import Integers, Labels

RAREST = 50
"""A label keeps as many images, if it has them, however small its share of the dataset is."""


def stratified_sample(numbers: Labels, labels: Sequence[str], size: int) -> Integers:
    """The rows of a sample of `size` images, in ascending order; all rows if `size` is 0 or there are no more.

    `numbers` (n,) are the images' indices in `labels`. Each label has its share of the sample, but at least 50 images
    (all, if it has fewer) where half of the sample is enough for that, and at least one anywhere. The sample is the
    same for the same images; images that are added to a label after its others change few of its rows.
    """
    if not size or size >= len(numbers):
        return np.arange(len(numbers))
    counts = np.bincount(numbers, minlength=len(labels))
    order = numbers.argsort(kind="stable")
    of_labels = np.split(order, counts.cumsum()[:-1])
    drawn = [
        rows[_order(label, len(rows))[:share]]
        for label, rows, share in zip(labels, of_labels, _shares(counts, size), strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _order(label: str, images: int) -> Integers:
    """A random order of a label's images in which the first ones come in the same order however many follow."""
    return np.random.default_rng(zlib.crc32(label.encode())).random(images).argsort(kind="stable")


def _shares(counts: Integers, size: int) -> Integers:
    """How many images of each label the sample has: (labels,), `size` altogether unless there are more labels."""
    fewest = np.minimum(counts, max(1, min(RAREST, size // (2 * len(counts)))))
    shares, common = fewest.astype(float), counts > 0
    while common.any():
        left = size - fewest[~common].sum()
        proportional = left * counts / counts[common].sum()
        rare = common & (proportional < fewest)
        if not rare.any():
            shares[common] = proportional[common]
            break
        common &= ~rare
    whole = np.asarray(shares + 1e-9, np.int64)
    largest_rests = (whole - shares).argsort(kind="stable")
    whole[largest_rests[: round(shares.sum()) - int(whole.sum())]] += 1
    return whole
