"""Labelled images → the pack: every file is read once, checked, split, and turned into backbone features.

Decoded images wait in a temporary file, not in memory, until all names and duplicates are settled.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from trainer import pack
from trainer.dataset import (
    SPLITS,
    Checked,
    Dataset,
    Split,
    check_trainable,
    list_files,
    name_refusal,
    resolve,
    split_of,
)
from trainer.errors import ImageRefused
from trainer.images import Photo, Pixels, read_photo

BACKBONE = "efficientnet-lite0"
FILES_AT_ONCE = 128
MAX_DECODERS = 8

Report = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """The arguments of `prepare`."""

    image_size: int
    views: int
    minimum_per_label: int


@dataclass(frozen=True)
class Survey:
    """All files read once: those that are images, their pixels row by row in the same order, and the reasons for the others."""

    checked: list[Checked]
    pixels: Pixels
    refused: dict[str, str]


def prepare(images: Path, output: Path, settings: Settings, say: Report) -> None:
    """Writes `features/`, `test/` and `report.json` below `output`; BadInput where no model can come of the images.

    The report is written in either case, so that a person can see why files were refused.
    """
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    files = list_files(images)
    with tempfile.TemporaryFile() as spool:
        survey = _survey(images, files, settings.image_size, spool)
        dataset = resolve(survey.checked, survey.refused, settings.minimum_per_label)
        _write_report(output, dataset, len(files), settings, time.monotonic() - started)
        check_trainable(dataset, settings.minimum_per_label)
        _write_pack(output, dataset, survey, settings, Progress(len(files), len(files) - len(dataset.used), say))
    _write_report(output, dataset, len(files), settings, time.monotonic() - started)


class Progress:
    """Says how many images are done, about a hundred times a job."""

    def __init__(self, total: int, done: int, say: Report) -> None:
        self._total, self._done, self._say = total, done, say
        self._step = max(1, total // 100)
        self._next = done

    def add(self, images: int) -> None:
        """So many more images are done."""
        self._done += images
        if self._done >= self._next or self._done == self._total:
            self._next = self._done + self._step
            self._say(f"progress: {self._done}/{self._total} images")


def _survey(folder: Path, files: list[str], image_size: int, spool: IO[bytes]) -> Survey:
    checked: list[Checked] = []
    refused = {file: reason for file in files if (reason := name_refusal(file))}
    candidates = [file for file in files if file not in refused]

    def read(file: str) -> Photo | ImageRefused:
        try:
            return read_photo(folder / file, image_size)
        except ImageRefused as refusal:
            return refusal

    with ThreadPoolExecutor(min(os.cpu_count() or 1, MAX_DECODERS)) as pool:
        for start in range(0, len(candidates), FILES_AT_ONCE):
            batch = candidates[start : start + FILES_AT_ONCE]
            for file, photo in zip(batch, pool.map(read, batch), strict=True):
                if isinstance(photo, ImageRefused):
                    refused[file] = str(photo)
                else:
                    checked.append(Checked(file, photo.digest))
                    spool.write(photo.pixels.tobytes())
    return Survey(checked, _spooled(spool, len(checked), image_size), refused)


def _spooled(spool: IO[bytes], images: int, image_size: int) -> Pixels:
    shape = (images, image_size, image_size, 3)
    if not images:
        return np.empty(shape, np.uint8)
    spool.flush()
    return np.memmap(spool, np.uint8, "r", shape=shape)


def _write_pack(output: Path, dataset: Dataset, survey: Survey, settings: Settings, progress: Progress) -> None:
    from trainer import features  # noqa: PLC0415 - loads Keras, for which a refused dataset need not wait

    description = pack.Description(BACKBONE, settings.image_size, dataset.labels)
    rows = _rows_of_splits(dataset, survey)
    label_of_row = [
        dataset.labels.index(image.label) if image.label in dataset.labels else -1 for image in survey.checked
    ]
    test, training = output / "test", output / "features"

    _write_images(test, survey.pixels, rows["test"])
    pack.write_labels(test, "labels", [label_of_row[row] for row in rows["test"]])
    pack.describe(test, description)
    progress.add(len(rows["test"]))

    extractor = features.Extractor(settings.image_size)
    for split, views in (("validation", 1), ("train", settings.views)):
        extractor.write(training, split, survey.pixels, rows[split], views, progress.add)
        pack.write_labels(training, f"{split}_labels", [label_of_row[row] for row in rows[split]])
    pack.describe(training, description)


def _rows_of_splits(dataset: Dataset, survey: Survey) -> dict[Split, list[int]]:
    row_of = {image.file: row for row, image in enumerate(survey.checked)}
    rows: dict[Split, list[int]] = {split: [] for split in SPLITS}
    for image in dataset.used:
        rows[split_of(image.digest)].append(row_of[image.file])
    return rows


def _write_images(folder: Path, pixels: Pixels, rows: list[int]) -> None:
    images = pack.create_array(folder, "images", (len(rows), *pixels.shape[1:]), np.uint8)
    for place, row in enumerate(rows):
        images[place] = pixels[row]


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
    (output / "report.json").write_text(
        json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8", errors="replace"
    )


def _named(reasons: dict[str, str]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in sorted(reasons.items())]
