"""What prepare writes and the later jobs read: each folder is whole once its `pack.json` is there.

`features/` holds, for the splits train and validation, features (n, views, d) of each backbone as float16; `training/`
the same images themselves, (n, size, size, 3) uint8, for fine-tuning; `validation/` and `test/` the photographs, for
whatever size a model takes. Arrays are memory-mapped: a job reads what it uses. In every folder the rows of one split
are in the same order: by file name.
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
TRAINER, EARLIER = "trainer", "one that did not say"
WIDENED_BYTES = 2**28


@dataclass(frozen=True)
class Description:
    """What the numbers of a folder mean; a label's number is its place in `labels`."""

    backbones: list[str]
    image_size: int
    """Side in pixels of the images that the features are of."""
    fine_tune_size: int
    """Side in pixels of the images in `training/`; 0 where there are none."""
    labels: list[str]


class FeatureSplit(NamedTuple):
    """One split as a head sees it: features (n, views, d), view 0 the picture as it is, and label numbers (n,)."""

    features: npt.NDArray[np.float16] | npt.NDArray[np.float32]
    labels: Labels


class TrainingSplit(NamedTuple):
    """One split as fine-tuning sees it: images (n, size, size, 3), RGB 0 to 255, and label numbers (n,)."""

    images: Pixels
    labels: Labels


def features_file(backbone: str, split: str) -> str:
    """Name of a split's features in `features/`."""
    return f"{split}-{backbone}.npy"


def images_file(split: str) -> str:
    """Name of a split's images in `training/`."""
    return f"{split}.npy"


def labels_file(split: str) -> str:
    """Name of a split's label numbers in `features/` and `training/`."""
    return f"{split}-labels.npy"


def create_array(path: Path, shape: Sequence[int], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """An array on disk, to be filled piece by piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=tuple(shape))


def write_labels(path: Path, labels: Sequence[int]) -> None:
    """The label numbers that belong to an array of the same folder."""
    np.save(path, np.asarray(labels, np.int32), allow_pickle=False)


def describe(folder: Path, description: Description) -> None:
    """Written last: a folder without it is not a whole pack. It tells the trainer's version too."""
    text = json.dumps({**asdict(description), TRAINER: version()}, ensure_ascii=False, indent=1)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read_description(folder: Path) -> Description:
    """BadInput where the folder holds no pack, OtherTrainer where another version of the trainer made it."""
    try:
        facts = dict(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")).items())
        made_by = facts.pop(TRAINER, EARLIER)
        if made_by in (version(), EARLIER):
            described = Description(**facts)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"The folder {folder.name} holds no pack made by prepare: {error}.") from error
    if made_by != version():
        raise OtherTrainer("The pack")
    return described


def read_features(folder: Path, backbone: str, split: str) -> FeatureSplit:
    """Features of the train or validation split; BadInput where they are missing or damaged.

    Few are read into memory as float32, as each epoch would convert them anew; many are memory-mapped as they are.
    """
    backbones = read_description(folder).backbones
    if backbone not in backbones:
        raise BadInput(f"The pack holds no features of {backbone[:100]!r}, but of {', '.join(backbones)}.")
    features, labels = _aligned(folder, features_file(backbone, split), labels_file(split), dimensions=3)
    few = features.size * np.dtype(np.float32).itemsize <= WIDENED_BYTES
    return FeatureSplit(np.array(features, np.float32) if few else features, labels)


def read_training(folder: Path, split: str) -> TrainingSplit:
    """Memory-mapped images of the train or validation split; BadInput where they are missing or damaged."""
    return TrainingSplit(*_aligned(folder, images_file(split), labels_file(split), dimensions=4))


def read_photos(folder: Path) -> Photos:
    """The photographs of `validation/` or `test/`; BadInput where they are missing or damaged."""
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
