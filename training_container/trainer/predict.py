"""Images → a CSV of labels, with a whole model from evaluate. Memory holds one batch of images at a time."""

import csv
import os
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np

from trainer.answering.classification import ANSWERED_AT_ONCE
from trainer.answering.spreadsheet import file_cell, label_cell
from trainer.answering.verdicts import WORDS, Doubt
from trainer.archive import WHOLE, Model, read_model
from trainer.decoding.images import has_image_suffix
from trainer.decoding.limits import DEFAULT_LIMITS, DecodingLimits
from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput, ImageRefused
from trainer.files import find_files, printable, reason_of
from trainer.inference.averaging import classify
from trainer.inference.photo_kind import PhotoComparison
from trainer.names import HIDDEN, hidden

STANDARD_OUTPUT = "-"


HEADER = ("file", "label", "confidence", "sure")
Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`."""

    every_image: bool = False
    """Whether an image that can't be read has a row too, without label and confidence."""
    limits: DecodingLimits = DEFAULT_LIMITS
    """Of time and memory for each image."""


DEFAULT_OPTIONS = PredictOptions()


def predict(
    archive: Path,
    paths: Sequence[Path],
    destination: str,
    refusals: TextIO,
    options: PredictOptions = DEFAULT_OPTIONS,
) -> None:
    """Writes rows of `file,label,confidence,sure` to the file `destination`, and what can't be read to `refusals`.

    `sure` is in words, and empty for a model that can't tell. The last lines of `refusals` say of how many images the
    model is not sure, and how the photographs differ from those that it learnt from, if they do. Raises BadInput if no
    image could be read.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model = read_model(archive, WHOLE, Path(scratch, "model"))
    files, left_out = _find(paths)
    refusals.writelines(printable(f"{file}: {reason}") + "\n" for file, reason in left_out.items())
    without_label = ((file_cell(str(file)), "", "", "") for file in left_out if _may_be_an_image(file, left_out[file]))
    with _opened(destination) as file, DecoderPool(options.limits) as decoders:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER)
        sure, kind = Counter[str](), PhotoComparison(model.facts)
        for row in chain(without_label, _rows(model, decoders, iter(files), refusals, kind)):
            if row[1] or options.every_image:
                rows.writerow(map(printable, row) if file.isatty() else row)
            sure.update([row[3]] if row[1] else [])
    if not sure:
        raise BadInput("No image could be read: name image files, or folders with images.")
    refusals.writelines(f"{note}\n" for note in filter(None, (_doubt_note(sure), kind.note())))


def _doubt_note(sure: Counter[str]) -> str:
    """A sentence on how many answers are not sure, by each one's words; empty if all are, or it is not known."""
    unlike = sure[WORDS[Doubt.UNLIKE]]
    unsure = sure[WORDS[Doubt.CONFIDENCE]] + unlike
    if not unsure:
        return ""
    which = f", {unlike:,} of them of an image unlike what it learnt from" if unlike else ""
    return f"The model is not sure of {unsure:,} of {sure.total():,} answers{which}: look at these yourself."


def _opened(destination: str) -> "nullcontext[TextIO] | TextIO":
    if destination == STANDARD_OUTPUT:
        return nullcontext(_standard_output())
    return Path(destination).open("w", encoding="utf-8", errors="surrogateescape", newline="")


def _standard_output() -> TextIO:
    """Standard output, which takes the bytes of any file's name; a terminal shows only what it can."""
    if isinstance(sys.stdout, TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    return sys.stdout


def _find(paths: Iterable[Path]) -> tuple[list[Path], dict[Path, str]]:
    """The files at the paths and below them, and what is left out with the reason."""
    files: list[Path] = []
    left_out: dict[Path, str] = {}
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            left_out[path] = reason_of(error, os.path.islink(path))  # noqa: PTH114  Path.is_symlink may raise
            continue
        if is_folder:
            found = find_files(path, hidden)
            files += [path / file for file in found.files]
            left_out |= {path / file: reason for file, reason in found.left_out.items()}
        else:
            files.append(path)
    return files, left_out


def _may_be_an_image(file: Path, reason: str) -> bool:
    return reason != HIDDEN and has_image_suffix(file)


def _rows(
    model: Model, decoders: DecoderPool, files: Iterator[Path], refusals: TextIO, kind: PhotoComparison
) -> Iterator[Row]:
    """The row of each image that could be read, and the file alone of each that could not."""
    while batch := list(islice(files, ANSWERED_AT_ONCE)):
        read, images = [], []
        followed = [Path(os.path.realpath(file)) for file in batch]
        for file, pixels in zip(batch, decoders.pixels(followed, model.image_size), strict=True):
            if not isinstance(pixels, ImageRefused):
                read.append(file)
                images.append(pixels)
                continue
            refusals.write(printable(f"{file}: {pixels}") + "\n")
            if has_image_suffix(file) if pixels.is_image is None else pixels.is_image:
                yield file_cell(str(file)), "", "", ""
        if images:
            kind.add(np.stack(images))
            answers = classify(model, np.stack(images))
            for file, of_label, doubt in zip(read, *answers, strict=True):
                label = model.labels[of_label.argmax()]
                yield file_cell(str(file)), label_cell(label), f"{of_label.max():.4f}", WORDS[Doubt(doubt)]
