"""Folders of a pack, as prepare writes them, without preparing anything."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer import pack
from trainer.decoding.inspection import Inspection, Shrinking
from trainer.decoding.pool import DecoderPool
from trainer.photos import LONGEST_SIDE
from trainer.preparation.shards import ArrayShards, PhotoShards
from trainer.types import Places


def places(rows: int) -> Places:
    """Rows one after the other in full shards."""
    return np.stack(np.divmod(np.arange(rows), pack.ROWS), axis=1)


def names(rows: int) -> list[str]:
    """The names of so many rows' shards."""
    return [f"algo-1-{number:04}" for number in range(-(-rows // pack.ROWS))]


def write_features(
    folder: Path, description: pack.Description, backbone: str, split: str, features: npt.NDArray[np.float16]
) -> None:
    """Writes features (n, views, d) of a split, and the folder's description; labels and places are to be written."""
    shards = names(len(features))
    with ArrayShards(
        lambda number: folder / pack.features_file(backbone, split, shards[number]), features.shape[1:], np.float16
    ) as written:
        written.append(features)
    facts = vars(description) | {"shards": {**description.shards, split: shards}}
    pack.describe(folder, pack.Description(**facts))


def write_photos(
    folder: Path,
    images: Path,
    files: Sequence[str],
    labels: list[str],
    decoders: DecoderPool,
    *,
    large: Sequence[str] = (),
) -> Path:
    """Writes a folder such as `test/` with files of the folder `images`, in this order; `large` ones are shrunk."""
    shards = names(len(files))
    with PhotoShards(lambda number: folder / pack.photos_file(shards[number])) as photos:
        for file in files:
            (found,) = decoders.inspections([images / file], [16], Shrinking(LONGEST_SIDE, 0 if file in large else 1))
            assert isinstance(found, Inspection)
            photos.add(file, found.shrunk or (images / file).read_bytes())
    pack.write_places(folder, pack.PHOTOS, places(len(files)))
    pack.describe(folder, pack.Description(["efficientnet-lite0"], 64, 0, labels, {pack.PHOTOS: shards}))
    return folder
