"""What prepare writes and the later jobs read: plain .npy arrays and one JSON description in each folder.

`features/` holds, for the splits train and validation, features (n, views, d) as float16 and labels (n,) as int32; `test/` holds the
test images (n, size, size, 3) as uint8 and their labels. Arrays are memory-mapped, so nobody reads more than it uses.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.errors import BadInput

Labels = npt.NDArray[np.int32]
Features = npt.NDArray[np.float16]
DESCRIPTION = "pack.json"


@dataclass(frozen=True)
class Description:
    """What the numbers of a folder mean; a label's number is its place in `labels`."""

    backbone: str
    image_size: int
    labels: list[str]


class Split(NamedTuple):
    """One split as the head sees it: features (n, views, d), view 0 the picture as it is, and label numbers (n,)."""

    features: Features
    labels: Labels


class TestSplit(NamedTuple):
    """The untouched images (n, size, size, 3), RGB 0–255, and their label numbers (n,)."""

    images: npt.NDArray[np.uint8]
    labels: Labels


def create_array(folder: Path, name: str, shape: Sequence[int], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """An array on disk, to be filled piece by piece."""
    folder.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=dtype, shape=tuple(shape))


def write_labels(folder: Path, name: str, labels: Sequence[int]) -> None:
    """The label numbers that belong to an array of the same folder."""
    np.save(folder / f"{name}.npy", np.asarray(labels, np.int32), allow_pickle=False)


def describe(folder: Path, description: Description) -> None:
    """Written last: a folder without it is not a whole pack."""
    (folder / DESCRIPTION).write_text(json.dumps(asdict(description), ensure_ascii=False, indent=1), encoding="utf-8")


def read_description(folder: Path) -> Description:
    """BadInput where the folder holds no pack."""
    try:
        return Description(**json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"The folder {folder.name} holds no pack made by prepare: {error}") from error


def read_split(folder: Path, split: Literal["train", "validation"]) -> Split:
    """Memory-mapped features and their labels."""
    return Split(*_aligned(folder, f"{split}_features", f"{split}_labels", dimensions=3))


def read_test(folder: Path) -> TestSplit:
    """Memory-mapped test images and their labels."""
    return TestSplit(*_aligned(folder, "images", "labels", dimensions=4))


def _aligned(folder: Path, values: str, labels: str, dimensions: int) -> tuple[npt.NDArray[Any], Labels]:
    array, numbers = _read_array(folder, values), _read_array(folder, labels)
    if array.ndim != dimensions or numbers.shape != array.shape[:1] or not len(array):
        raise BadInput(f"{values}.npy and {labels}.npy don't belong together: prepare must be run again.")
    return array, numbers


def _read_array(folder: Path, name: str) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"The pack's {name}.npy is missing or damaged: prepare must be run again.") from error
    return array
