"""What prepare writes and the later jobs read: plain .npy arrays and one JSON description in each folder.

`features/` holds, for the splits train and validation, features (n, views, d) as float16 and labels (n,) as int32;
`test/` holds the test images (n, size, size, 3) as uint8 and their labels. Arrays are memory-mapped: a job reads what
it uses.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.errors import BadInput

Labels = npt.NDArray[np.int32]

DESCRIPTION = "pack.json"
TEST_IMAGES, TEST_LABELS = "images.npy", "labels.npy"


@dataclass(frozen=True)
class Description:
    """What the numbers of a folder mean; a label's number is its place in `labels`."""

    backbone: str
    image_size: int
    labels: list[str]


class FeatureSplit(NamedTuple):
    """One split as the head sees it: features (n, views, d), view 0 the picture as it is, and label numbers (n,)."""

    features: npt.NDArray[np.float16]
    labels: Labels


class ImageSplit(NamedTuple):
    """The untouched images (n, size, size, 3), RGB 0 to 255, and their label numbers (n,)."""

    images: npt.NDArray[np.uint8]
    labels: Labels


def features_file(split: str) -> str:
    """Name of a split's features in `features/`."""
    return f"{split}_features.npy"


def labels_file(split: str) -> str:
    """Name of a split's label numbers in `features/`."""
    return f"{split}_labels.npy"


def create_array(path: Path, shape: Sequence[int], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """An array on disk, to be filled piece by piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=tuple(shape))


def write_labels(path: Path, labels: Sequence[int]) -> None:
    """The label numbers that belong to an array of the same folder."""
    np.save(path, np.asarray(labels, np.int32), allow_pickle=False)


def describe(folder: Path, description: Description) -> None:
    """Written last: a folder without it is not a whole pack."""
    (folder / DESCRIPTION).write_text(json.dumps(asdict(description), ensure_ascii=False, indent=1), encoding="utf-8")


def read_description(folder: Path) -> Description:
    """BadInput where the folder holds no pack."""
    try:
        return Description(**json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"The folder {folder.name} holds no pack made by prepare: {error}.") from error


def read_split(folder: Path, split: str) -> FeatureSplit:
    """Memory-mapped features of the train or validation split, and their labels; BadInput where they are damaged."""
    return FeatureSplit(*_aligned(folder, features_file(split), labels_file(split), dimensions=3))


def read_test(folder: Path) -> ImageSplit:
    """Memory-mapped test images and their labels; BadInput where they are damaged."""
    return ImageSplit(*_aligned(folder, TEST_IMAGES, TEST_LABELS, dimensions=4))


def _aligned(folder: Path, values: str, labels: str, dimensions: int) -> tuple[npt.NDArray[Any], Labels]:
    array, numbers = _read_array(folder / values), _read_array(folder / labels)
    if array.ndim != dimensions or numbers.shape != array.shape[:1] or not len(array):
        raise BadInput(f"The pack's {values} and {labels} don't belong together: run prepare again.")
    return array, numbers


def _read_array(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"The pack's {path.name} is missing or damaged: run prepare again.") from error
    return array
