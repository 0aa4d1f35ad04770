"""The pack: folders that prepare writes and later jobs read. A folder is complete once its `pack.json` exists.

`features/` holds the features (n, views, d) of the train and validation splits for each backbone, as float16;
`training/` the images themselves, (n, size, size, 3) uint8, for fine-tuning; `validation/` and `test/` the photographs,
which can be read at any size. The rows of a split are in the same order in every folder, by file name. They lie in
shards, files of at most `ROWS` rows each, which may hold rows that are not used: an index says where each row is.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.errors import BadInput, OtherTrainer
from trainer.photos import Photos
from trainer.types import Labels, Pixels, Places
from trainer.version import version

DESCRIPTION = "pack.json"
PHOTOS = "photos"
"""Stands for the split in the folders `validation/` and `test/`, which hold one each."""
TRAINER, UNNAMED_TRAINER = "trainer", "unnamed"
ROWS = 4096
"""Of a shard, at most."""
MAX_FLOAT32_BYTES = 2**30
"""The features of some 5,600 images in five views of 9,584 numbers."""
_SHARD = re.compile("[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Description:
    """Describes the arrays of a folder; a label's number is its index in `labels`."""

    backbones: list[str]
    image_size: int
    """Side in pixels of the images that the features were extracted from."""
    fine_tune_size: int
    """Side in pixels of the images in `training/`; 0 if there are none."""
    labels: list[str]
    shards: Mapping[str, list[str]] = field(default_factory=dict)
    """By split, the names of its shards; a shard's number is its index."""


class ShardedArray:
    """The rows (n, …) of a split, read from its shards as they are asked for. It is indexed as a NumPy array is.

    `files` are .npy files; `places` (n, 2) are the shard's number and the row in it of each row. Raises BadInput, which
    names the file, if one is missing or damaged.
    """

    def __init__(self, files: Sequence[Path], places: Places) -> None:
        self._places = places
        self._shards = [_read_array(file) for file in files]
        self.dtype = self._shards[0].dtype if self._shards else np.dtype(np.float16)
        inner = [shard.shape[1:] for shard in self._shards]
        if not inner or {shape[1:] for shape in inner} != {inner[0][1:]}:
            raise BadInput("The pack's shards don't belong together: run prepare again.")
        # With several instances some may have kept more views than others.
        self.shape = (len(places), *np.min(inner, axis=0).tolist())
        for number, (file, shard) in enumerate(zip(files, self._shards, strict=True)):
            rows = places[places[:, 0] == number, 1]
            if shard.dtype != self.dtype or (len(rows) and not 0 <= rows.min() <= rows.max() < len(shard)):
                raise _not_together(file.name)
        if len(places) and not 0 <= places[:, 0].min() <= places[:, 0].max() < len(files):
            raise BadInput("The pack's index names a shard that it hasn't: run prepare again.")

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(np.prod(self.shape))

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        rows, *inner = key if isinstance(key, tuple) else (key,)
        asked = self._places[rows]
        places = asked.reshape(-1, 2)
        found: npt.NDArray[Any] | None = None
        for number in np.unique(places[:, 0]) if len(places) else [0]:
            inside = np.flatnonzero(places[:, 0] == number)
            within = (part[inside] if np.ndim(part) else part for part in inner)
            part = self._shards[number][:, : self.shape[1]][(places[inside, 1], *within)]
            if found is None:
                found = np.empty((len(places), *part.shape[1:]), self.dtype)
            found[inside] = part
        assert found is not None
        return found if asked.ndim > 1 else found[0]


class FeatureSplit(NamedTuple):
    """One split for training a head: features (n, views, d), with view 0 the original image, and label numbers (n,)."""

    features: npt.NDArray[np.float16] | npt.NDArray[np.float32] | ShardedArray
    labels: Labels


class TrainingSplit(NamedTuple):
    """One split for fine-tuning: images (n, size, size, 3), RGB 0 to 255, and label numbers (n,)."""

    images: Pixels | ShardedArray
    labels: Labels


def features_file(backbone: str, split: str, shard: str) -> str:
    """File name of a shard of a split's features in `features/`."""
    return f"{split}-{backbone}-{shard}.npy"


def images_file(split: str, shard: str) -> str:
    """File name of a shard of a split's images in `training/`."""
    return f"{split}-{shard}.npy"


def photos_file(shard: str) -> str:
    """File name of a shard of the photographs in `validation/` and `test/`."""
    return f"{shard}.zip"


def labels_file(split: str) -> str:
    """File name of a split's label numbers (n,)."""
    return f"{split}-labels.npy"


def places_file(split: str) -> str:
    """File name of a split's places (n, 2): the number of the shard that holds each row, and the row in that."""
    return f"{split}-places.npy"


def write_places(folder: Path, split: str, places: Places) -> None:
    """Writes where the rows of a split are."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / places_file(split), places.astype(np.int32), allow_pickle=False)


def write_labels(folder: Path, split: str, labels: Sequence[int]) -> None:
    """Writes the label numbers of the rows of a split."""
    np.save(folder / labels_file(split), np.asarray(labels, np.int32), allow_pickle=False)


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
            described = _checked(Description(**facts))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"The folder {folder.name} holds no pack made by prepare: {error}.") from error
    if made_by != version():
        raise OtherTrainer("The pack")
    return described


def read_features(folder: Path, backbone: str, split: str) -> FeatureSplit:
    """Features of the train or validation split; BadInput if they are missing or damaged.

    Up to 1 GiB is read into memory as float32, which saves converting them in each epoch; more is memory-mapped.
    """
    description = read_description(folder)
    if backbone not in description.backbones:
        known = ", ".join(description.backbones)
        raise BadInput(f"The pack holds no features of {backbone[:100]!r}, but of {known}.")
    files = [folder / features_file(backbone, split, shard) for shard in description.shards.get(split, [])]
    features, labels = _aligned(folder, files, split, dimensions=3)
    few = features.size * np.dtype(np.float32).itemsize <= MAX_FLOAT32_BYTES
    return FeatureSplit(features[:].astype(np.float32) if few else features, labels)


def read_training(folder: Path, split: str) -> TrainingSplit:
    """Memory-mapped images of the train or validation split; BadInput if they are missing or damaged."""
    shards = read_description(folder).shards.get(split, [])
    return TrainingSplit(*_aligned(folder, [folder / images_file(split, shard) for shard in shards], split, 4))


def read_photos(folder: Path) -> Photos:
    """The photographs of `validation/` or `test/`; BadInput if they are missing or damaged."""
    description = read_description(folder)
    archives = [folder / photos_file(shard) for shard in description.shards.get(PHOTOS, [])]
    return Photos(archives, _places(folder, PHOTOS), description.labels)


def _checked(description: Description) -> Description:
    """The description; ValueError if the name of a shard could be a path to somewhere else."""
    names = [name for shards in description.shards.values() for name in shards]
    if not all(_SHARD.fullmatch(name) for name in names):
        raise ValueError("a shard's name is not valid")
    return description


def _aligned(folder: Path, files: Sequence[Path], split: str, dimensions: int) -> tuple[ShardedArray, Labels]:
    places, labels = _places(folder, split), _read_array(folder / labels_file(split))
    if labels.shape != places.shape[:1] or not len(places):
        raise _not_together(f"{places_file(split)} and {labels_file(split)}")
    array = ShardedArray(files, places)
    if len(array.shape) != dimensions:
        raise _not_together(files[0].name)
    return array, labels


def _places(folder: Path, split: str) -> Places:
    places = _read_array(folder / places_file(split))
    if places.ndim != 2 or places.shape[1] != 2 or places.dtype.kind != "i":
        raise _not_together(places_file(split))
    return np.array(places, np.int64)


def _not_together(names: str) -> BadInput:
    return BadInput(f"The pack's {names} don't belong together: run prepare again.")


def evenly_spaced(available: int, wanted: int) -> list[int]:
    """Up to `wanted` of the rows 0 to `available` - 1, at equal distances: the first ones are of the first labels."""
    return sorted({int(row) for row in np.linspace(0, available - 1, wanted)})


def _read_array(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"The pack's {path.name} is missing or damaged: run prepare again.") from error
    return array
