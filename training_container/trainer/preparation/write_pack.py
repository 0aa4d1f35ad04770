"""Writes the folders of the pack from the checked images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.decoding.limits import DEFAULT_LIMITS, DecodingLimits
from trainer.decoding.pool import DecoderPool
from trainer.photos import LONGEST_SIDE, write_photos
from trainer.preparation.dataset import SPLITS, Dataset, SplitName, split_of
from trainer.preparation.survey import Survey
from trainer.types import Pixels, Say

COPIED_AT_ONCE = 128
TRAINING_SPLITS: tuple[SplitName, ...] = ("validation", "train")
PHOTO_SPLITS: tuple[SplitName, ...] = ("validation", "test")


@dataclass(frozen=True)
class PrepareOptions:
    """The arguments of `prepare`."""

    image_size: int
    views: int
    minimum_per_label: int
    backbones: tuple[str, ...]
    fine_tune_size: int
    """0 for no `training/`."""
    limits: DecodingLimits = DEFAULT_LIMITS
    """Of time and memory for each image."""

    @property
    def sizes(self) -> set[int]:
        """The sides in pixels of the square images that are needed."""
        return {self.image_size, self.fine_tune_size} - {0}


class ProgressPrinter:
    """Prints how many images have gone through all passes, about a hundred times in a job."""

    def __init__(self, total: int, passes: int, say: Say) -> None:
        self._total, self._passes, self._say = total, passes, say
        self._passed = self._said = 0

    def add(self, images: int) -> None:
        """Counts images that have gone through one more pass."""
        self._passed += images
        done = self._passed // self._passes
        if done - self._said >= self._total / 100 or (done == self._total and self._said < done):
            self._said = done
            self._say(f"progress: {done}/{self._total} images")

    def skip(self, images: int) -> None:
        """Counts images that need no pass as done."""
        self.add(images * self._passes)


@dataclass(frozen=True)
class SplitImages:
    """The images of one split, ordered by file name: their files, rows in the survey, and label numbers."""

    files: list[str]
    rows: list[int]
    labels: list[int]


@dataclass(frozen=True)
class PackWriter:
    """Writes the folders of one pack below `output`, from the survey of the folder `images`.

    `pretrained` is as for `build_backbone`.
    """

    images: Path
    pretrained: Path
    output: Path
    scratch: Path
    """A folder that is deleted when the job ends; the features of the test images are written there."""
    survey: Survey
    dataset: Dataset
    options: PrepareOptions
    decoders: DecoderPool

    def write(self, say: Say) -> None:
        """Writes `validation/`, `test/`, `features/` and, for fine-tuning, `training/`.

        The test images' features, of the first backbone alone, only serve to check their labels.
        """
        by_split, size = self.by_split(), self.options.fine_tune_size
        for split in PHOTO_SPLITS:
            self._write_photos(self.output / split, by_split[split])
        if size:
            for split in TRAINING_SPLITS:
                file = self.output / "training" / pack.images_file(split)
                _write_images(file, self.survey.pixels[size], by_split[split])
            self._finish(self.output / "training", by_split)
        files = len(self.survey.checked) + len(self.survey.refused)
        progress = ProgressPrinter(files, len(self.options.backbones), say)
        progress.skip(files - len(self.dataset.used))
        self._write_features(self.output / "features", by_split, progress, say)
        self._finish(self.output / "features", by_split)

    def by_split(self) -> dict[SplitName, SplitImages]:
        """The images of each split."""
        row_of = {image.file: row for row, image in enumerate(self.survey.checked)}
        number_of = {label: number for number, label in enumerate(self.dataset.labels)}
        by_split: dict[SplitName, SplitImages] = {split: SplitImages([], [], []) for split in SPLITS}
        for image in self.dataset.used:
            split = by_split[split_of(image.digest)]
            split.files.append(image.file)
            split.rows.append(row_of[image.file])
            split.labels.append(number_of[image.label])
        return by_split

    def _write_photos(self, folder: Path, split: SplitImages) -> None:
        longer_side = dict(zip(split.files, (self.survey.longer_sides[row] for row in split.rows), strict=True))
        large = {file for file in split.files if longer_side[file] > LONGEST_SIDE}
        write_photos(folder / pack.PHOTOS, self.images, split.files, large, self.decoders)
        self._describe(folder)

    def _write_features(
        self, folder: Path, by_split: dict[SplitName, SplitImages], progress: ProgressPrinter, say: Say
    ) -> None:
        from trainer.preparation.features import FeatureExtractor  # noqa: PLC0415 - loads Keras, which a refused dataset does not need

        size = self.options.image_size
        views: dict[SplitName, int] = {"validation": 1, "train": self.options.views}
        for backbone in self.options.backbones:
            extractor = FeatureExtractor(backbone, size, progress.add, say, self.pretrained)
            for split in TRAINING_SPLITS:
                path = folder / pack.features_file(backbone, split)
                extractor.write(path, self.survey.pixels[size], by_split[split].rows, views[split])
            if backbone == self.options.backbones[0]:
                path = self.scratch / pack.features_file(backbone, "test")
                extractor.write(path, self.survey.pixels[size], by_split["test"].rows, 1)
            else:
                progress.add(len(by_split["test"].rows))

    def _finish(self, folder: Path, by_split: dict[SplitName, SplitImages]) -> None:
        for split in TRAINING_SPLITS:
            pack.write_labels(folder / pack.labels_file(split), by_split[split].labels)
        self._describe(folder)

    def _describe(self, folder: Path) -> None:
        chosen = self.options
        labels = self.dataset.labels
        pack.describe(
            folder, pack.Description(list(chosen.backbones), chosen.image_size, chosen.fine_tune_size, labels)
        )


def _write_images(path: Path, pixels: Pixels, split: SplitImages) -> None:
    images = pack.create_array(path, (len(split.rows), *pixels.shape[1:]), np.uint8)
    for start in range(0, len(split.rows), COPIED_AT_ONCE):
        rows = split.rows[start : start + COPIED_AT_ONCE]
        images[start : start + len(rows)] = pixels[rows]
