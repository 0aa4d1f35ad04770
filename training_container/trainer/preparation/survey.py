"""Reads every file of the dataset once: inspects it, or finds the reason to refuse it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from trainer.decoding.pool import DecoderPool
from trainer.errors import ImageRefused
from trainer.preparation.dataset import CheckedImage, path_refusal
from trainer.types import Pixels

FILES_AT_ONCE = 128


@dataclass(frozen=True)
class Survey:
    """The usable images, row by row, and by file name the reason for each file that was refused."""

    checked: list[CheckedImage]
    longer_sides: list[int]
    """In pixels."""
    pixels: dict[int, Pixels]
    """By size: (n, size, size, 3)."""
    refused: dict[str, str]
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By file name, what a person should know of the image; see `Inspection`."""
    saved_as: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By file name, the ways in which it was saved; see saved_as.py."""


def survey(
    folder: Path,
    files: Sequence[str],
    spools: dict[int, BinaryIO],
    decoders: DecoderPool,
    on_progress: Callable[[int], None],
) -> Survey:
    """Reads `files`, named relative to `folder`, and writes the pixels of each size to its file in `spools`.

    The pixels are memory-mapped from these files, which must stay open. Memory holds one batch of files at a time.
    """
    refused = {file: reason for file in files if (reason := path_refusal(file))}
    candidates = [file for file in files if file not in refused]
    checked: list[CheckedImage] = []
    longer_sides: list[int] = []
    notices: dict[str, tuple[str, ...]] = {}
    ways: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(candidates), FILES_AT_ONCE):
        batch = candidates[start : start + FILES_AT_ONCE]
        inspections = decoders.inspections([folder / file for file in batch], spools)
        for file, inspection in zip(batch, inspections, strict=True):
            if isinstance(inspection, ImageRefused):
                refused[file] = str(inspection)
                continue
            checked.append(CheckedImage(file, inspection.digest, inspection.perceptual_hash, inspection.thumbnail))
            longer_sides.append(inspection.longer_side)
            notices[file], ways[file] = inspection.notices, inspection.saved_as
            for size, pixels in inspection.pixels.items():
                spools[size].write(pixels.data)
        on_progress(start + len(batch))
    spooled = {size: _spooled(spool, (len(checked), size, size, 3)) for size, spool in spools.items()}
    return Survey(checked, longer_sides, spooled, refused, notices, ways)


def _spooled(spool: BinaryIO, shape: tuple[int, ...]) -> Pixels:
    spool.flush()
    return np.memmap(spool, np.uint8, "r", shape=shape) if shape[0] else np.empty(shape, np.uint8)
