"""Labelled images → the pack: every file is read once, checked, split, and turned into backbone features.

Decoded images wait in a temporary file, not in memory, until all names and duplicates are settled.
"""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer import pack
from trainer.dataset import SPLITS, Dataset, Split, check_trainable, list_files, resolve, split_of
from trainer.survey import Survey, survey

BACKBONE = "efficientnet-lite0"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """The arguments of `prepare`."""

    image_size: int
    views: int
    minimum_per_label: int


class Progress:
    """Says how many images are done, about a hundred times a job."""

    def __init__(self, total: int, say: Say) -> None:
        self._total, self._say = total, say
        self._done = self._said = 0

    def add(self, images: int) -> None:
        """So many more images are done."""
        self._done += images
        if self._done - self._said >= self._total / 100 or self._done == self._total:
            self._said = self._done
            self._say(f"progress: {self._done}/{self._total} images")


def prepare(images: Path, output: Path, settings: Settings, say: Say) -> None:
    """Writes `features/`, `test/` and `report.json` below `output`; BadInput where no model can come of the images.

    The report is written in either case, so that a person can see why files were refused.
    """
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    files = list_files(images)
    with tempfile.TemporaryFile() as spool:
        read = survey(
            images, files, settings.image_size, spool, lambda done: say(f"checked: {done}/{len(files)} files")
        )
        dataset = resolve(read.checked, read.refused, settings.minimum_per_label)
        _write_report(output, dataset, len(files), settings, time.monotonic() - started)
        check_trainable(dataset, settings.minimum_per_label)
        progress = Progress(len(files), say)
        progress.add(len(files) - len(dataset.used))
        _write_pack(output, dataset, read, settings, progress)
    _write_report(output, dataset, len(files), settings, time.monotonic() - started)


def _write_pack(output: Path, dataset: Dataset, read: Survey, settings: Settings, progress: Progress) -> None:
    description = pack.Description(BACKBONE, settings.image_size, dataset.labels)
    rows, labels = _rows_and_labels(dataset, read)

    test = output / "test"
    _write_images(test / pack.TEST_IMAGES, read, rows["test"])
    pack.write_labels(test / pack.TEST_LABELS, labels["test"])
    pack.describe(test, description)
    progress.add(len(rows["test"]))

    from trainer.features import Extractor  # noqa: PLC0415 - loads Keras, for which a refused dataset need not wait

    features = output / "features"
    extractor = Extractor(settings.image_size, progress.add)
    views_of: dict[Split, int] = {"validation": 1, "train": settings.views}
    for split, views in views_of.items():
        extractor.write(features / pack.features_file(split), read.pixels, rows[split], views)
        pack.write_labels(features / pack.labels_file(split), labels[split])
    pack.describe(features, description)


def _rows_and_labels(dataset: Dataset, read: Survey) -> tuple[dict[Split, list[int]], dict[Split, list[int]]]:
    """Of each split the rows in the survey's pixels, and the label numbers."""
    row_of = {image.file: row for row, image in enumerate(read.checked)}
    number_of = {label: number for number, label in enumerate(dataset.labels)}
    rows: dict[Split, list[int]] = {split: [] for split in SPLITS}
    labels: dict[Split, list[int]] = {split: [] for split in SPLITS}
    for image in dataset.used:
        split = split_of(image.digest)
        rows[split].append(row_of[image.file])
        labels[split].append(number_of[image.label])
    return rows, labels


def _write_images(path: Path, read: Survey, rows: list[int]) -> None:
    images = pack.create_array(path, (len(rows), *read.pixels.shape[1:]), np.uint8)
    for place, row in enumerate(rows):
        images[place] = read.pixels[row]


def _write_report(output: Path, dataset: Dataset, files: int, settings: Settings, seconds: float) -> None:
    report = {
        "images": files,
        "used": len(dataset.used),
        "backbone": BACKBONE,
        "image_size": settings.image_size,
        "views": settings.views,
        "seconds": round(seconds, 1),
        "labels": dataset.counts(),
        "duplicates": _named(dataset.duplicates),
        "refused": _named(dataset.refused),
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (output / "report.json").write_text(text, encoding="utf-8", errors="replace")


def _named(reasons: dict[str, str]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in sorted(reasons.items())]
