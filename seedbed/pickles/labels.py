"""The number of each image's label, and the labels' names, from what people save as labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SeedbedError
from .pair import Part
from .words import quoted

ONE_HOT = "each row has a single 1, in the column of its label, and zeros"
HOW = "save one number or one name for each image"
MOST_LETTERS = 255
MOST_SINGLE = 100
"""Of so many images some must have the same label."""


@dataclass(frozen=True)
class LabelNumbers:
    """The label of each image (n,) as the place of its name, and something to tell people, or nothing."""

    numbers: npt.NDArray[np.intp]
    names: Sequence[str]
    notice: str = ""


def read_labels(part: Part, names: Sequence[str] = ()) -> LabelNumbers:
    """Read one-hot rows (n, labels), or one number or text for each image.

    Numbers count the `names` from 0, or are sorted as they are if there are as many as names; without names the labels
    are called `class_00` and so on. Texts are names. Raises SeedbedError for anything else.
    """
    value = part.value
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 1:
        value = value.ravel()
    if isinstance(value, list):
        labels = _named(part, [_text(part, row, label) for row, label in enumerate(value)], names)
    elif value.dtype.kind in "US":
        if value.ndim != 1:
            raise SeedbedError(f"{part.source} has {value.shape[1]} texts for each image: {HOW}.")
        labels = _named(part, _texts(part, value), names)
    elif value.ndim == 2:
        labels = _one_hot(part, value, names)
    else:
        labels = _counted(part, value, names)
    if len(labels.numbers) > MOST_SINGLE and len(np.unique(labels.numbers)) == len(labels.numbers):
        raise SeedbedError(f"{part.source} has another label for each of {len(labels.numbers):,} images: {HOW}.")
    return labels


def _texts(part: Part, array: npt.NDArray[Any]) -> list[str]:
    try:
        different, places = np.unique(array, return_inverse=True)
        texts = [text.decode() if isinstance(text, bytes) else text for text in different.tolist()]
    except UnicodeDecodeError as error:
        raise SeedbedError(
            f"{part.source} has a label that is not text in UTF-8: save them with .astype(str)."
        ) from error
    return [texts[place] for place in places]


def _text(part: Part, row: int, label: Any) -> str:
    if isinstance(label, bytes):
        try:
            return label.decode()
        except UnicodeDecodeError as error:
            raise SeedbedError(
                f"{part.source} has a label that is not text in UTF-8: save them with .astype(str)."
            ) from error
    if isinstance(label, int) and abs(label) < 2**63:
        return str(label)
    if not isinstance(label, str):
        raise SeedbedError(f"{part.source} has no label for image {row + 1:,} of {len(part.value):,}: {HOW}.")
    return label


def _named(part: Part, texts: Sequence[str], names: Sequence[str]) -> LabelNumbers:
    different = sorted(set(texts))
    long = [text for text in different if len(text) > MOST_LETTERS]
    if long:
        raise SeedbedError(f"{part.source} has the label {quoted(long[0])}, which is too long for a folder's name.")
    unknown = [quoted(text) for text in different if text not in names]
    if names and unknown:
        raise SeedbedError(
            f"{part.source} holds the labels' names itself, and {unknown[0]} is not among those of --labels: leave "
            "--labels out."
        )
    places = {name: place for place, name in enumerate(names or different)}
    return LabelNumbers(np.array([places[text] for text in texts], np.intp), names or different)


def _one_hot(part: Part, rows: npt.NDArray[Any], names: Sequence[str]) -> LabelNumbers:
    if not ((rows == 0) | (rows == 1)).all() or not (rows.sum(axis=1) == 1).all():
        raise SeedbedError(f"{part.source} is not a one-hot array: {ONE_HOT}. If it has scores, save .argmax(axis=1).")
    count = rows.shape[1]
    if names and len(names) != count:
        raise _miscounted(part, count, names)
    return LabelNumbers(rows.argmax(axis=1), names or [_name(number) for number in range(count)])


def _counted(part: Part, array: npt.NDArray[Any], names: Sequence[str]) -> LabelNumbers:
    different, places = np.unique(array, return_inverse=True)
    wrong = [value for value in different[[0, -1]].tolist() if not 0 <= value < 2**31]
    wrong += different[different != np.trunc(different)].tolist() if not wrong else []
    if wrong:
        raise SeedbedError(f"{part.source} has the label {wrong[0]:g}, and labels are whole numbers from 0 on: {HOW}.")
    numbers = [int(value) for value in different]
    if not names:
        return LabelNumbers(places, [_name(number) for number in numbers])
    count, first = len(names), numbers[0]
    if len(numbers) == count:
        return LabelNumbers(places, names)
    if numbers[-1] > count or (numbers[-1] == count and not first):
        raise _miscounted(part, len(numbers), names)
    start = int(numbers[-1] == count)
    notice = f"No label is 0: they were counted from {start}, so {first} is {names[first - start]}." if first else ""
    return LabelNumbers(np.array(numbers, np.intp)[places] - start, names, notice)


def _miscounted(part: Part, count: int, names: Sequence[str]) -> SeedbedError:
    return SeedbedError(f"{part.source} has {count} labels, but {len(names)} were named: {', '.join(names)}.")


def _name(number: int) -> str:
    return f"class_{number:02}"
