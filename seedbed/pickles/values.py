"""Tells images and labels from other values."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .array import Array, plain
from .safe_reader import Refused

FEW = 4
"""So many arrays of two and of three dimensions may be images and one-hot rows; more are images, grey and in colour."""
LEAST_PIXELS = 64
TEXT = np.dtype(str)
MOST_NUMBER = 2**62
MOST_ROWS = 2**24
"""How many numbers lists of rows have at most."""
MOST_REPEATED = 2**28
"""How many bytes the same objects may have once more."""

Images = Array | Sequence[Array]


def settled(value: Any, size: int) -> Any:
    """What a value stands for: an array, a list of arrays or of labels, or what it is; a Refused if it is not taken.

    `size` is that of the file that holds it: a list of arrays can't be much larger.
    """
    try:
        value = plain(value)
        held = type(value)(_elements(value, size)) if isinstance(value, list) else None
    except Refused as error:
        return error
    if isinstance(value, tuple):
        made = settled(list(value), size)
        return made if is_images(made) or is_labels(made) else value
    if not held:
        return value
    if all(isinstance(element, bool | int | float) and abs(element) < MOST_NUMBER for element in held):
        return np.array(held)
    rows = all(isinstance(row, list | tuple | np.ndarray) and getattr(row, "ndim", 1) == 1 for row in held)
    return _rows(held) if rows else held


def _elements(values: list[Any], size: int) -> Iterator[Any]:
    left = MOST_REPEATED + size
    for value in values:
        made = plain(value)
        left -= made.nbytes if isinstance(made, np.ndarray) else 0
        if left < 0:
            raise Refused("the same arrays many times: save each image once, with numpy.save")
        yield made


def _rows(rows: list[Any]) -> Any:
    """An array of rows, if they have numbers and one length."""
    width = len(rows[0])
    if not 0 < width <= MOST_ROWS // len(rows) or any(len(row) != width for row in rows):
        return rows
    if any(isinstance(row, np.ndarray) for row in rows):
        return np.array(rows) if all(getattr(row, "dtype", TEXT).kind in "biuf" for row in rows) else rows
    numbers = all(
        isinstance(number, bool | int | float) and abs(number) < MOST_NUMBER for row in rows for number in row
    )
    return np.array(rows, float) if numbers else rows


def is_images(value: Any) -> bool:
    """Whether these are images: an array of numbers of three dimensions or more, or a list of arrays."""
    if isinstance(value, np.ndarray):
        return value.ndim >= 3 and value.dtype.kind in "biuf"
    if not isinstance(value, list) or not value:
        return False
    if not all(
        isinstance(image, np.ndarray) and image.ndim in {2, 3} and image.dtype.kind in "biuf" for image in value
    ):
        return False
    return len(value) > FEW or len({image.ndim for image in value}) == 1


def is_flat(value: Any) -> bool:
    """Whether these may be images whose pixels lie in one row each."""
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] >= LEAST_PIXELS


def is_labels(value: Any) -> bool:
    """Whether these can be labels: an array of one or two dimensions, or a list of texts and numbers."""
    if isinstance(value, np.ndarray):
        return value.ndim in {1, 2}
    singles = str | bytes | bool | int | float | None
    return isinstance(value, list) and bool(value) and all(isinstance(element, singles) for element in value)
