"""Images → a CSV of labels, with a whole model from evaluate. Memory holds one batch of images at a time."""

import csv
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from trainer.archive import WHOLE, Model, read_model
from trainer.decoding.limits import DEFAULT_LIMITS, DecodingLimits
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, ImageRefused
from trainer.files import list_files
from trainer.inference.averaging import ANSWERED_AT_ONCE, classify
from trainer.inference.spreadsheet import file_cell, label_cell

STANDARD_OUTPUT = "-"


def predict(
    archive: Path, paths: Sequence[Path], destination: str, refusals: TextIO, limits: DecodingLimits = DEFAULT_LIMITS
) -> None:
    """Writes rows of `file,label,confidence` to the file `destination`, and unreadable images to `refusals`.

    Decoding an image is bounded by `limits`. Raises BadInput if no image could be read.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model = read_model(archive, WHOLE, Path(scratch, "model"))
    with _opened(destination) as file, DecoderPool(limits) as decoders:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "label", "confidence"))
        predicted = 0
        for prediction in _predictions(model, decoders, _files(paths), refusals):
            rows.writerow(prediction)
            predicted += 1
    if not predicted:
        raise BadInput("No image could be read: name image files, or folders with images.")


def _opened(destination: str) -> "nullcontext[TextIO] | TextIO":
    if destination == STANDARD_OUTPUT:
        return nullcontext(sys.stdout)
    return Path(destination).open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (path / file for file in list_files(path))
        else:
            yield path


def _predictions(
    model: Model, decoders: DecoderPool, files: Iterator[Path], refusals: TextIO
) -> Iterator[tuple[str, str, str]]:
    """File, label and confidence of each image that could be read."""
    while batch := list(islice(files, ANSWERED_AT_ONCE)):
        read, images = [], []
        for file, pixels in zip(batch, decoders.pixels(batch, model.image_size), strict=True):
            if isinstance(pixels, ImageRefused):
                refusals.write(f"{file}: {pixels}\n")
            else:
                read.append(file)
                images.append(pixels)
        if images:
            for file, of_label in zip(read, classify(model, np.stack(images)), strict=True):
                label = model.labels[of_label.argmax()]
                yield file_cell(str(file)), label_cell(label), f"{of_label.max():.4f}"
