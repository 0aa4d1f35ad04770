"""The pack: folders that prepare writes and later jobs read. A folder is complete once its `pack.json` exists.

`features/` holds the features (n, views, d) of the train and validation splits for each backbone, as float16;
`training/` the images themselves, (n, size, size, 3) uint8, for fine-tuning; `validation/` and `test/` the photographs,
which can be read at any size. Arrays are memory-mapped. The rows of a split are in the same order in every folder, by
file name.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.errors import BadInput, OtherTrainer
from trainer.photos import Photos
from trainer.types import Labels, Pixels
from trainer.version import version

DESCRIPTION = "pack.json"
PHOTOS = "images.zip"
TRAINER, UNNAMED_TRAINER = "trainer", "unnamed"
MAX_FLOAT32_BYTES = 2**28


@dataclass(frozen=True)
class Description:
    """Describes the arrays of a folder; a label's number is its index in `labels`."""

    backbones: list[str]
    image_size: int
    """Side in pixels of the images that the features were extracted from."""
    fine_tune_size: int
    """Side in pixels of the images in `training/`; 0 if there are none."""
    labels: list[str]


class FeatureSplit(NamedTuple):
    """One split for training a head: features (n, views, d), with view 0 the original image, and label numbers (n,)."""

    features: npt.NDArray[np.float16] | npt.NDArray[np.float32]
    labels: Labels


class TrainingSplit(NamedTuple):
    """One split for fine-tuning: images (n, size, size, 3), RGB 0 to 255, and label numbers (n,)."""

    images: Pixels
    labels: Labels


def features_file(backbone: str, split: str) -> str:
    """File name of a split's features in `features/`."""
    return f"{split}-{backbone}.npy"


def images_file(split: str) -> str:
    """File name of a split's images in `training/`."""
    return f"{split}.npy"


def labels_file(split: str) -> str:
    """File name of a split's label numbers in `features/` and `training/`."""
    return f"{split}-labels.npy"


def create_array(path: Path, shape: Sequence[int], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A new memory-mapped array at `path`, to be filled in parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=tuple(shape))


def write_labels(path: Path, labels: Sequence[int]) -> None:
    """Writes the label numbers for the arrays of the same split and folder."""
    np.save(path, np.asarray(labels, np.int32), allow_pickle=False)


def describe(folder: Path, description: Description) -> None:
    """Writes pack.json, with the trainer's version; last, as a folder without it is not complete."""
    text = json.dumps({**asdict(description), TRAINER: version()}, ensure_ascii=False, indent=1)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read_description(folder: Path) -> Description:
    """Reads pack.json; BadInput if the folder holds no pack, OtherTrainer if another version of the trainer made it."""
    try:
        facts = dict(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")).items())
        made_by = facts.pop(TRAINER, UNNAMED_TRAINER)
        if made_by in (version(), UNNAMED_TRAINER):
            described = Description(**facts)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"The folder {folder.name} holds no pack made by prepare: {error}.") from error
    if made_by != version():
        raise OtherTrainer("The pack")
    return described


def read_features(folder: Path, backbone: str, split: str) -> FeatureSplit:
    """Features of the train or validation split; BadInput if they are missing or damaged.

    Up to 256 MiB are read into memory as float32, which saves converting them in each epoch; more are memory-mapped.
    """
    backbones = read_description(folder).backbones
    if backbone not in backbones:
        raise BadInput(f"The pack holds no features of {backbone[:100]!r}, but of {', '.join(backbones)}.")
    features, labels = _aligned(folder, features_file(backbone, split), labels_file(split), dimensions=3)
    few = features.size * np.dtype(np.float32).itemsize <= MAX_FLOAT32_BYTES
    return FeatureSplit(np.array(features, np.float32) if few else features, labels)


def read_training(folder: Path, split: str) -> TrainingSplit:
    """Memory-mapped images of the train or validation split; BadInput if they are missing or damaged."""
    return TrainingSplit(*_aligned(folder, images_file(split), labels_file(split), dimensions=4))


def read_photos(folder: Path) -> Photos:
    """The photographs of `validation/` or `test/`; BadInput if they are missing or damaged."""
    return Photos(folder / PHOTOS, read_description(folder).labels)


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
