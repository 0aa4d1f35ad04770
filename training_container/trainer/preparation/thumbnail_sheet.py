"""Thumbnails of the images that a page about the dataset shows, all in one picture, as a file for each takes longer."""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from trainer.preparation.dataset import Dataset
from trainer.preparation.survey import Survey
from trainer.types import Pixels

SIDE, COLUMNS = 144, 20
MAX_THUMBNAILS = 480
SAMPLES, MAX_LABELS = 8, 24
MAX_WRONG = 160
MAX_BYTES = 2_000_000
QUALITIES = (82, 70, 55, 40, 25, 10)


def write_thumbnails(folder: Path, dataset: Dataset, found: Survey, wrong: Sequence[str]) -> None:
    """Writes `thumbnails.jpg`, of at most 2 MB, and `thumbnails.json`, which names the files in it row by row.

    They show a few images of each label, the files whose label is likely wrong, and pairs that show the same picture.
    """
    samples = samples_of(dataset)
    row_of = {image.file: row for row, image in enumerate(found.checked)}
    wanted = (file for file in _wanted(dataset, samples, wrong) if file in row_of)
    files = list(islice(dict.fromkeys(wanted), MAX_THUMBNAILS))
    (folder / "thumbnails.jpg").write_bytes(_sheet([found.picture(row_of[file]) for file in files]))
    index = {"side": SIDE, "columns": COLUMNS, "files": files, "samples": samples}
    text = json.dumps(index, ensure_ascii=False, indent=1)
    (folder / "thumbnails.json").write_text(text, encoding="utf-8", errors="replace")


def samples_of(dataset: Dataset) -> dict[str, list[str]]:
    """Up to eight files of each of the first 24 labels, by digest: arbitrary ones, but always the same."""
    samples: dict[str, list[str]] = {label: [] for label in dataset.labels[:MAX_LABELS]}
    for image in sorted(dataset.used, key=lambda image: image.digest):
        if len(samples.get(image.label, range(SAMPLES))) < SAMPLES:
            samples[image.label].append(image.file)
    return samples


def _wanted(dataset: Dataset, samples: dict[str, list[str]], wrong: Sequence[str]) -> Iterator[str]:
    for of_label in samples.values():
        yield from of_label
    yield from wrong[:MAX_WRONG]
    for left_out in (dataset.near_duplicates, dataset.contradictory, dataset.duplicates):
        for file in sorted(left_out):
            yield from (file, dataset.other_of[file])


def _sheet(images: Sequence[Pixels]) -> bytes:
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, max(rows, 1) * SIDE))
    for place, pixels in enumerate(images):
        row, column = divmod(place, COLUMNS)
        sheet.paste(_thumbnail(pixels), (column * SIDE, row * SIDE))
    for quality in QUALITIES:
        content = BytesIO()
        sheet.save(content, "JPEG", quality=quality, optimize=True)
        if content.tell() <= MAX_BYTES:
            break
    return content.getvalue()


def _thumbnail(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.asarray(pixels)).resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
