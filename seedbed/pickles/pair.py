"""Finds the images and their labels in one file or two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SeedbedError
from ..terminal.hints import quoted as quoted_path
from ..terminal.hints import seedbed
from .files import read_values
from .safe_reader import Dictionary, Refused
from .values import FEW, MOST_NUMBER, is_flat, is_images, is_labels, settled
from .words import found, instead, quoted

LABEL_NAMES = {"y", "label", "labels", "target", "targets", "class", "classes", "category", "categories"}
MOST_LISTED = 8
MOST_ARRAYS = 20
"""In a list or dict of more values, no images and labels are looked for."""


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
        file = "Y.npy" if role == "labels" else "X.npy"
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
        turned = seedbed("import", quoted_path(labels), quoted_path(images))
        raise SeedbedError(f"Give the images first, and then their labels: {turned}")
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
    pairs = value.pairs if isinstance(value, Dictionary) else _columns(value, read.size) or list(_nested(value))
    parts = [
        Part(f"{quoted(key)} in {path}", settled(held, read.size), _text(key)) for key, held in pairs[:MOST_ARRAYS]
    ]
    taken = any(is_images(part.value) or is_labels(part.value) or isinstance(part.value, Refused) for part in parts)
    return parts if (taken and len(pairs) <= MOST_ARRAYS) or arrays else [Part(str(path), value)]


def _text(key: Any) -> str:
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return str(key) if isinstance(key, str) or (isinstance(key, int) and abs(key) < MOST_NUMBER) else "…"


def _columns(rows: Sequence[Any], size: int) -> list[tuple[str, Any]]:
    """All images and all labels, of a list of images that each have their label beside them; otherwise nothing."""
    if len(rows) <= FEW or not all(isinstance(row, list | tuple) and len(row) == 2 for row in rows):
        return []
    images, labels = (settled(list(column), size) for column in zip(*rows, strict=True))
    return [("1", images), ("2", labels)] if is_images(images) and is_labels(labels) else []


def _nested(values: Sequence[Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tuple with their places from 1, those of a tuple in it as 1.1 and so on."""
    for place, value in enumerate(values[: MOST_ARRAYS + 1], 1):
        if isinstance(value, tuple) and not name and len(value) == 2:
            yield from _nested(value, f"{place}.")
        else:
            yield f"{name}{place}", value


def _both(path: Path, parts: list[Part], arrays: Sequence[str]) -> tuple[Part, Part]:
    if len(parts) == 1 and is_images(parts[0].value):
        raise SeedbedError(f"{path} holds images without labels. Give the file of the labels after it.")
    if len(parts) == 1:
        raise parts[0].refuse("images and labels")
    images = _chosen("images", path, parts, arrays[:1])
    return images, _chosen("labels", path, parts, arrays[1:], count=len(images.value))


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
    if role == "images" and not fitting and (flat := [part for part in parts if is_flat(part.value)]):
        raise flat[0].refuse(role)
    which = "more than one array that the" if fitting else "nothing that the"
    raise SeedbedError(f"{path} holds {which} {role} could be: {_listed(parts)}. {_choose(parts)}")


def _choose(parts: list[Part]) -> str:
    images = [part.name for part in parts if is_images(part.value)]
    labels = [part.name for part in parts if is_labels(part.value)]
    if not images or not labels:
        return "Save all images as one array, and their labels as another, with numpy.save."
    return f"Choose by name, for example with --arrays {quoted(images[0])[1:-1]},{quoted(labels[0])[1:-1]}"


def _checked(role: str, part: Part) -> Part:
    fits = is_images(part.value) if role == "images" else is_labels(part.value)
    if not fits:
        raise part.refuse(role)
    return part


def _listed(parts: list[Part]) -> str:
    listed = ", ".join(quoted(part.name) + _short(part.value) for part in parts[:MOST_LISTED])
    return listed + (f" and {len(parts) - MOST_LISTED} more" if len(parts) > MOST_LISTED else "")


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Refused):
        return f" ({str(value).partition(':')[0]})"
    return f" (shape {value.shape})" if isinstance(value, np.ndarray) else f" ({found(value)})"
