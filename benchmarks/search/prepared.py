"""A data set as its jobs see it: prepare's features, and the test split's features, which no job of a search sees."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer import pack
from trainer.errors import BadInput
from trainer.job import JobPaths
from trainer.photos import Photos
from trainer.preparation.features import view_of
from trainer.types import Floats, Labels, Pixels

from ..training import jobs
from ..training.template import backbone, default

BATCH = 32
CHANGED_VIEWS = 2


class TestFeatures(NamedTuple):
    """Features (n, 1 + changed views, d) of the test split, view 0 the photograph as it is; label numbers (n,)."""

    features: Floats
    labels: Labels


def prepare(folder: Path, images: Path) -> None:
    """Runs the trainer's prepare with the quick plan's arguments, and adds the test split's features."""
    base = folder / "prepare"
    output = JobPaths(base).processing_output
    if not _is_ours(output / "test"):
        shutil.rmtree(base, ignore_errors=True)
        (folder / "test.npz").unlink(missing_ok=True)
        arguments = ["--image-size", default("ImageSize"), "--views", default("CachedViews")]
        arguments += ["--minimum-per-label", default("MinimumImagesPerLabel"), "--backbones", backbone()]
        jobs.prepare(base, images, [*arguments, "--fine-tune-size", "0"])
    if (folder / "test.npz").exists():
        return
    photos = pack.read_photos(output / "test")
    np.savez(folder / "test.npz", features=_features(photos), labels=photos.labels)


def widen_test(folder: Path, larger: Path) -> None:
    """Replaces the test split by that of a larger data set with the same photographs, as far as it has these labels.

    The split of an image depends on its content alone, so none of them was trained on here.
    """
    own, theirs = (pack.read_description(features_folder(one)).labels for one in (folder, larger))
    found = test_features(larger)
    rows = [row for row, number in enumerate(found.labels) if theirs[number] in own]
    numbers = [own.index(theirs[found.labels[row]]) for row in rows]
    np.savez(folder / "test.npz", features=found.features[rows].astype(np.float16), labels=np.array(numbers, np.int32))


def _is_ours(packed: Path) -> bool:
    """Whether the folder is one that this version of the trainer made."""
    with suppress(BadInput):
        return bool(pack.read_description(packed))
    return False


def features_folder(folder: Path) -> Path:
    """The channel `features` of the data set's training jobs."""
    return JobPaths(folder / "prepare").processing_output / "features"


def test_features(folder: Path) -> TestFeatures:
    """What `prepare` added."""
    with np.load(folder / "test.npz") as found:
        return TestFeatures(found["features"].astype(np.float32), found["labels"])


def _features(photos: Photos) -> Floats:
    from trainer.backbones import build_backbone  # noqa: PLC0415  loads Keras
    from trainer.inference.engines import fastest_engine  # noqa: PLC0415

    size = int(default("ImageSize"))
    engine = fastest_engine(build_backbone(backbone(), size, Path("none")), print)
    views = [
        np.concatenate([engine(batch) for batch in _batches(photos, size, view)]) for view in range(1 + CHANGED_VIEWS)
    ]
    return np.stack(views, axis=1).astype(np.float16)


def _batches(photos: Photos, size: int, view: int) -> Iterator[Pixels]:
    for start in range(0, len(photos.names), BATCH):
        images = photos.load(range(start, min(start + BATCH, len(photos.names))), size)
        yield np.stack(list(map(partial(view_of, view=view), images)))
