"""Checked images → the folders of the pack."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.decoding.limits import LIMITS, Limits
from trainer.decoding.pool import Decoders
from trainer.photos import LONGEST_SIDE, write_photos
from trainer.preparation.dataset import SPLITS, Dataset, Split, split_of
from trainer.preparation.survey import Survey
from trainer.types import Pixels, Say

COPIED_AT_ONCE = 128
LEARNT_FROM: tuple[Split, ...] = ("validation", "train")
PHOTOGRAPHED: tuple[Split, ...] = ("validation", "test")


@dataclass(frozen=True)
class Settings:
    """The arguments of `prepare`."""

    image_size: int
    views: int
    minimum_per_label: int
    backbones: tuple[str, ...]
    fine_tune_size: int
    """0 for no `training/`."""
    limits: Limits = LIMITS
    """What an image may cost."""

    @property
    def sizes(self) -> set[int]:
        """Sides in pixels in which images are needed."""
        return {self.image_size, self.fine_tune_size} - {0}


class Progress:
    """Says how many images are done, about a hundred times a job; each is done once it went through all passes."""

    def __init__(self, total: int, passes: int, say: Say) -> None:
        self._total, self._passes, self._say = total, passes, say
        self._passed = self._said = 0

    def add(self, images: int) -> None:
        """So many more images went through one pass."""
        self._passed += images
        done = self._passed // self._passes
        if done - self._said >= self._total / 100 or (done == self._total and self._said < done):
            self._said = done
            self._say(f"progress: {done}/{self._total} images")

    def skip(self, images: int) -> None:
        """So many images need no pass."""
        self.add(images * self._passes)


@dataclass(frozen=True)
class Side:
    """The images of one split, by file name: their files, rows in the survey, and label numbers."""

    files: list[str]
    rows: list[int]
    labels: list[int]


@dataclass(frozen=True)
class PackWriter:
    """Writes the folders of one pack below `output`, from the survey of the folder `images`.

    `pretrained` is as `build_backbone` takes it.
    """

    images: Path
    pretrained: Path
    output: Path
    read: Survey
    dataset: Dataset
    settings: Settings
    decoders: Decoders

    def write(self, say: Say) -> None:
        """Writes `validation/`, `test/`, `training/` where it is wanted, and `features/`."""
        sides, size = self._sides(), self.settings.fine_tune_size
        for split in PHOTOGRAPHED:
            self._write_photos(self.output / split, sides[split])
        if size:
            for split in LEARNT_FROM:
                _write_images(self.output / "training" / pack.images_file(split), self.read.pixels[size], sides[split])
            self._finish(self.output / "training", sides)
        files = len(self.read.checked) + len(self.read.refused)
        progress = Progress(files, len(self.settings.backbones), say)
        progress.skip(files - sum(len(sides[split].rows) for split in LEARNT_FROM))
        self._write_features(self.output / "features", sides, progress, say)
        self._finish(self.output / "features", sides)

    def _sides(self) -> dict[Split, Side]:
        row_of = {image.file: row for row, image in enumerate(self.read.checked)}
        number_of = {label: number for number, label in enumerate(self.dataset.labels)}
        sides: dict[Split, Side] = {split: Side([], [], []) for split in SPLITS}
        for image in self.dataset.used:
            side = sides[split_of(image.digest)]
            side.files.append(image.file)
            side.rows.append(row_of[image.file])
            side.labels.append(number_of[image.label])
        return sides

    def _write_photos(self, folder: Path, side: Side) -> None:
        longer_side = dict(zip(side.files, (self.read.longer_sides[row] for row in side.rows), strict=True))
        large = {file for file in side.files if longer_side[file] > LONGEST_SIDE}
        write_photos(folder / pack.PHOTOS, self.images, side.files, large, self.decoders)
        self._describe(folder)

    def _write_features(self, folder: Path, sides: dict[Split, Side], progress: Progress, say: Say) -> None:
        from trainer.preparation.features import Extractor  # noqa: PLC0415 - loads Keras, for which a refused dataset need not wait

        size = self.settings.image_size
        views: dict[Split, int] = {"validation": 1, "train": self.settings.views}
        for backbone in self.settings.backbones:
            extractor = Extractor(backbone, size, progress.add, say, self.pretrained)
            for split in LEARNT_FROM:
                path = folder / pack.features_file(backbone, split)
                extractor.write(path, self.read.pixels[size], sides[split].rows, views[split])

    def _finish(self, folder: Path, sides: dict[Split, Side]) -> None:
        for split in LEARNT_FROM:
            pack.write_labels(folder / pack.labels_file(split), sides[split].labels)
        self._describe(folder)

    def _describe(self, folder: Path) -> None:
        chosen = self.settings
        labels = self.dataset.labels
        pack.describe(
            folder, pack.Description(list(chosen.backbones), chosen.image_size, chosen.fine_tune_size, labels)
        )


def _write_images(path: Path, pixels: Pixels, side: Side) -> None:
    images = pack.create_array(path, (len(side.rows), *pixels.shape[1:]), np.uint8)
    for start in range(0, len(side.rows), COPIED_AT_ONCE):
        rows = side.rows[start : start + COPIED_AT_ONCE]
        images[start : start + len(rows)] = pixels[rows]
