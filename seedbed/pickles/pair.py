"""Finds the images and their labels in one file or two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SeedbedError
from .array import Array, plain
from .files import read_values
from .safe_reader import Dictionary, Refused
from .words import found, instead, quoted

LABEL_NAMES = {"y", "label", "labels", "target", "targets", "class", "classes", "category", "categories"}
FEW = 4
"""So many arrays of two and of three dimensions may be images and one-hot rows; more are images, grey and in colour."""
MOST_NUMBER = 2**62
MOST_ROWS = 2**24
"""How many numbers lists of rows have at most."""
MOST_REPEATED = 2**28
"""How many bytes the same objects may have once more."""
MOST_ARRAYS = 20
"""In a list or dict of more values, no images and labels are looked for."""

Images = Array | Sequence[Array]
Labels = Array | Sequence[Any]


@dataclass(frozen=True)
class Part:
    """A value of a file, and its name for a sentence."""

    source: str
    value: Any
    name: str = ""

    def refuse(self, role: str) -> SeedbedError:
        """The error that the value is not the images or labels."""
        if isinstance(self.value, Refused):
            return SeedbedError(f"{self.source} can't be read: it holds {self.value}.")
        file = "X.npy" if role == "images" else "Y.npy"
        return SeedbedError(f"{self.source} holds {found(self.value)}, not {role}: {instead(self.value, file)}.")


def read_pair(images: Path, labels: Path | None = None, arrays: Sequence[str] = ()) -> tuple[Part, Part]:
    """The images, numbers of three dimensions or more or a list of arrays, and the labels, an array or a list.

    Without a file of labels, the first has both. `arrays` names the images and the labels where a file holds more.
    Raises SeedbedError if there is another thing, or more than one that it could be.
    """
    if arrays and len(arrays) != 2:
        raise SeedbedError("--arrays takes two names, of the images and of the labels: --arrays x_train,y_train")
    parts = read_parts(images, arrays)
    if labels is None:
        return _both(images, parts, arrays)
    others = read_parts(labels, arrays)
    if len(parts) == len(others) == 1 and is_labels(parts[0].value) and is_images(others[0].value):
        raise SeedbedError(f"Give the images first, and then their labels: seedbed import {labels} {images}")
    return (
        _chosen("images", images, parts, arrays[:1]),
        _chosen("labels", labels, others, arrays[1:]),
    )


def read_parts(path: Path, arrays: Sequence[str]) -> list[Part]:
    """What a file holds: one part, or those of the dict, tuple or list in it."""
    read = read_values(path, arrays)
    value = settled(read.values[0], read.size) if len(read.values) == 1 else tuple(read.values)
    if not isinstance(value, Dictionary | tuple | list) or is_images(value) or is_labels(value):
        return [Part(str(path), value)]
    pairs = value.pairs if isinstance(value, Dictionary) else list(_nested(value))
    parts = [
        Part(f"{quoted(key)} in {path}", settled(held, read.size), _text(key)) for key, held in pairs[:MOST_ARRAYS]
    ]
    taken = any(is_images(part.value) or is_labels(part.value) or isinstance(part.value, Refused) for part in parts)
    return parts if (taken and len(pairs) <= MOST_ARRAYS) or arrays else [Part(str(path), value)]


def _text(key: Any) -> str:
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return str(key) if isinstance(key, str) or (isinstance(key, int) and abs(key) < MOST_NUMBER) else "…"


def _nested(values: Sequence[Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tuple with their places from 1, those of a tuple in it as 1.1 and so on."""
    for place, value in enumerate(values[: MOST_ARRAYS + 1], 1):
        if isinstance(value, tuple) and not name and len(value) == 2:
            yield from _nested(value, f"{place}.")
        else:
            yield f"{name}{place}", value


def settled(value: Any, size: int) -> Any:
    """What a value stands for: an array, a list of arrays or of labels, or what it is; a Refused if it is not taken.

    `size` is that of the file that holds it: a list of arrays can't be much larger.
    """
    try:
        value = plain(value)
        held = type(value)(_elements(value, size)) if isinstance(value, list) else None
    except Refused as error:
        return error
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
    if all(isinstance(row, np.ndarray) for row in rows):
        return np.array(rows)
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


def is_labels(value: Any) -> bool:
    """Whether these can be labels: an array of one or two dimensions, or a list of texts and numbers."""
    if isinstance(value, np.ndarray):
        return value.ndim in {1, 2}
    singles = str | bytes | bool | int | float | None
    return isinstance(value, list) and bool(value) and all(isinstance(element, singles) for element in value)


def _both(path: Path, parts: list[Part], arrays: Sequence[str]) -> tuple[Part, Part]:
    if len(parts) == 1 and is_images(parts[0].value):
        raise SeedbedError(f"{path} holds images without labels. Give the file of the labels after it.")
    if len(parts) == 1:
        raise parts[0].refuse("images and labels")
    images = _chosen("images", path, parts, arrays[:1])
    labels = [part for part in parts if part is not images]
    return images, _chosen("labels", path, labels, arrays[1:], count=len(images.value))


def _chosen(role: str, path: Path, parts: list[Part], names: Sequence[str], count: int | None = None) -> Part:
    """The one part that the images or the labels are."""
    if len(parts) == 1 and not parts[0].name:
        return _checked(role, parts[0])
    fits = is_images if role == "images" else is_labels
    if names:
        fitting = [part for part in parts if part.name == names[0]]
        if not fitting:
            raise SeedbedError(f"{path} holds nothing called {quoted(names[0])}. It holds {_listed(parts)}.")
        return _checked(role, fitting[0])
    fitting = [part for part in parts if fits(part.value)]
    counted = [part for part in fitting if len(part.value) == count]
    fitting = counted or fitting
    named = [part for part in fitting if part.name.lower() in LABEL_NAMES]
    if len(fitting) > 1 and len(named) == 1 and role == "labels":
        fitting = named
    if len(fitting) == 1:
        return fitting[0]
    if len(parts) == 1:
        raise parts[0].refuse(role)
    which = "more than one array that the" if fitting else "nothing that the"
    raise SeedbedError(f"{path} holds {which} {role} could be: {_listed(parts)}. {_choose(parts)}")


def _choose(parts: list[Part]) -> str:
    images = next((part.name for part in parts if is_images(part.value)), "images")
    labels = next((part.name for part in parts if is_labels(part.value)), "labels")
    return f"Choose by name, for example with --arrays {images},{labels}"


def _checked(role: str, part: Part) -> Part:
    fits = is_images(part.value) if role == "images" else is_labels(part.value)
    if not fits:
        raise part.refuse(role)
    return part


def _listed(parts: list[Part]) -> str:
    return ", ".join(quoted(part.name) + _short(part.value) for part in parts)


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f" (shape {value.shape})" if isinstance(value, np.ndarray) else f" ({found(value)})"
