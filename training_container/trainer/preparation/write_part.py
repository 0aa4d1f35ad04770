"""Writes what one instance makes of its files: shards of features, images and photographs, and their light facts.

Every file is read once, a few at a time: while some are decoded, the features of those before are extracted.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from trainer import pack
from trainer.decoding.images import DECODERS
from trainer.decoding.inspection import Inspection
from trainer.decoding.pool import DecoderPool
from trainer.errors import ImageRefused
from trainer.files import list_files
from trainer.job import Hosts
from trainer.names import label_key
from trainer.preparation.dataset import SPLITS, SplitName, path_refusal, split_of
from trainer.preparation.options import PrepareOptions, ProgressPrinter
from trainer.preparation.part import shard_name
from trainer.preparation.shards import ArrayShards, IndexWriter, Kept, PhotoShards
from trainer.preparation.survey import inspections
from trainer.types import Pixels, Say

if TYPE_CHECKING:
    from trainer.preparation.features import FeatureExtractor

PHOTO_SPLITS: tuple[SplitName, ...] = ("validation", "test")
TRAINING_SPLITS: tuple[SplitName, ...] = ("train", "validation")
BATCH = 32
"""Images that are extracted together."""


@dataclass(frozen=True)
class PartJob:
    """What one instance works with; `pretrained` is as for `build_backbone`."""

    images: Path
    pretrained: Path
    output: Path
    """Of the pack."""
    index: Path
    scratch: Path
    """A folder that is deleted when the job ends; the test images' features, which check their labels, are there."""
    options: PrepareOptions
    hosts: Hosts
    decoders: DecoderPool
    say: Say

    def features(self, backbone: str, split: SplitName, shard: str) -> Path:
        """The file of a shard of features."""
        folder = self.scratch if split == "test" else self.output / "features"
        return folder / pack.features_file(backbone, split, shard)


class Written(NamedTuple):
    """How many views of each training image were kept, and how many rows each split's shards have."""

    views: int
    rows: dict[SplitName, int]


def write_part(job: PartJob) -> Written:
    """Writes the shards and the index of all files in `job.images`, but for the index's header."""
    files = list_files(job.images)
    refused = {file: reason for file in files if (reason := path_refusal(file))}
    candidates = [file for file in files if file not in refused]
    progress = ProgressPrinter(len(files), job.say)
    with IndexWriter(job.index, job.hosts.current) as index, PackShards(job, len(files), progress) as shards:
        for file, reason in refused.items():
            index.refuse(file, reason)
        progress.add(len(refused))
        if len(job.hosts.names) == 1 and not _may_be_trainable(candidates, job.options.minimum_per_label):
            shards.write_nothing()
        seen: dict[str, Kept] = {}
        for file, found in inspections(job.images, candidates, job.options.sizes, job.decoders):
            if isinstance(found, ImageRefused):
                index.refuse(file, str(found))
                progress.add(1)
                continue
            if found.digest in seen:
                progress.add(1)
            else:
                picture = index.add_picture(found.pixels[max(found.pixels)])
                seen[found.digest] = Kept(shards.add(file, found), picture)
            index.add(file, found, seen[found.digest])
        return shards.finish()


def _may_be_trainable(files: Sequence[str], minimum_per_label: int) -> bool:
    """Whether two labels have enough files, if all can be used."""
    files_of = Counter(label_key(file.split("/", 1)[0]) for file in files)
    return sum(count >= minimum_per_label for count in files_of.values()) > 1


class _Batch(NamedTuple):
    """Images of one split in each of their views, which are made while the batch before is looked at."""

    split: SplitName
    views: list[list[Future[Pixels]]]


class PackShards:
    """The shards of one part, to which images are added in the order of their names.

    `files` is how many there are in this part, by which the number of views is chosen.
    """

    def __init__(self, job: PartJob, files: int, progress: ProgressPrinter) -> None:
        self._job, self._files, self._progress = job, files, progress
        self._stack = ExitStack()
        self._threads = self._stack.enter_context(ThreadPoolExecutor(DECODERS))
        self._photos = {split: self._photo_shards(split) for split in PHOTO_SPLITS}
        self._images = (
            {split: self._image_shards(split) for split in TRAINING_SPLITS} if job.options.fine_tune_size else {}
        )
        self._extractors: list[FeatureExtractor] = []
        self._features: dict[tuple[str, SplitName], ArrayShards] = {}
        self._waiting: dict[SplitName, list[Pixels]] = {split: [] for split in SPLITS}
        self._begun: _Batch | None = None
        self._rows: Counter[SplitName] = Counter()
        self._views = job.options.views
        self._writes = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write_nothing(self) -> None:
        """Images that are added are passed over: no model can be trained on them."""
        self._writes = False

    def add(self, file: str, found: Inspection) -> int:
        """Adds an image; returns its row in its split."""
        split, options = split_of(found.digest), self._job.options
        row = self._rows[split]
        if not self._writes:
            self._progress.add(1)
            return row
        self._rows[split] += 1
        if split in self._photos:
            self._photos[split].add(file, found.shrunk or (self._job.images / file).read_bytes())
        if split in self._images:
            self._images[split].append(found.pixels[options.fine_tune_size][None])
        self._waiting[split].append(found.pixels[options.image_size])
        if len(self._waiting[split]) == BATCH:
            self._begin(split)
        return row

    def finish(self) -> Written:
        """Extracts what is left."""
        for split in SPLITS:
            if self._waiting[split]:
                self._begin(split)
        self._end()
        return Written(self._views, {split: self._rows[split] for split in SPLITS})

    def _begin(self, split: SplitName) -> None:
        from trainer.preparation.features import view_of  # noqa: PLC0415 - as in _load

        if not self._extractors:
            self._load()
        images, self._waiting[split] = self._waiting[split], []
        views = range(self._views if split == "train" else 1)
        batch = _Batch(split, [[self._threads.submit(view_of, image, view) for image in images] for view in views])
        self._end()
        self._begun = batch

    def _end(self) -> None:
        """Extracts and writes the features of the batch that was begun, if any."""
        if not self._begun:
            return
        (split, views), self._begun = self._begun, None
        used = self._extractors[: 1 if split == "test" else None]
        features = [np.empty((len(views[0]), len(views), one.width), np.float16) for one in used]
        for view, made in enumerate(views):
            images = np.stack([image.result() for image in made])
            for extractor, extracted in zip(used, features, strict=True):
                extracted[:, view] = extractor(images, view)
        for backbone, extracted in zip(self._job.options.backbones, features, strict=False):
            self._feature_shards(backbone, split, extracted).append(extracted)
        self._progress.add(len(views[0]))

    def _load(self) -> None:
        from trainer.preparation.features import FeatureExtractor, views_that_fit  # noqa: PLC0415 - loads Keras, which a refused dataset does not need

        options = self._job.options
        self._extractors = [
            FeatureExtractor(name, options.image_size, self._job.say, self._job.pretrained)
            for name in options.backbones
        ]
        files, widths = self._files * len(self._job.hosts.names), [extractor.width for extractor in self._extractors]
        self._views = views_that_fit(options.feature_bytes, options.views, files, widths)
        if self._views < options.views:
            kept = f"{self._views} of {options.views} views of each training image are kept"
            self._job.say(f"{kept}: more don't fit --feature-bytes {options.feature_bytes}.")

    def _feature_shards(self, backbone: str, split: SplitName, extracted: npt.NDArray[np.float16]) -> ArrayShards:
        key = backbone, split
        if key not in self._features:
            shards = ArrayShards(
                lambda number: self._job.features(backbone, split, self._name(number)),
                extracted.shape[1:],
                np.float16,
            )
            self._features[key] = self._stack.enter_context(shards)
        return self._features[key]

    def _image_shards(self, split: SplitName) -> ArrayShards:
        size, folder = self._job.options.fine_tune_size, self._job.output / "training"
        shards = ArrayShards(
            lambda number: folder / pack.images_file(split, self._name(number)), (size, size, 3), np.uint8
        )
        return self._stack.enter_context(shards)

    def _photo_shards(self, split: SplitName) -> PhotoShards:
        folder = self._job.output / split
        shards = PhotoShards(lambda number: folder / pack.photos_file(self._name(number)))
        return self._stack.enter_context(shards)

    def _name(self, number: int) -> str:
        return shard_name(self._job.hosts.current, number)
