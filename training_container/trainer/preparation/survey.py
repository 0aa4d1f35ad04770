"""Reads every file of the dataset once: its digest and small picture, or the reason to refuse it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from trainer.decoding.pool import Decoders
from trainer.errors import ImageRefused
from trainer.preparation.dataset import Checked, name_refusal
from trainer.types import Pixels

FILES_AT_ONCE = 128


@dataclass(frozen=True)
class Survey:
    """Files that are images, row by row, and why others are not."""

    checked: list[Checked]
    longer_sides: list[int]
    """In pixels."""
    pixels: dict[int, Pixels]
    """By size: (n, size, size, 3)."""
    refused: dict[str, str]


def survey(
    folder: Path,
    files: Sequence[str],
    spools: dict[int, BinaryIO],
    decoders: Decoders,
    checked_so_far: Callable[[int], None],
) -> Survey:
    """Reads `files`, named relative to `folder`; pixels of each size go to its open file, which must outlive them.

    Memory holds one batch of files at a time, whatever their number.
    """
    refused = {file: reason for file in files if (reason := name_refusal(file))}
    candidates = [file for file in files if file not in refused]
    checked: list[Checked] = []
    longer_sides: list[int] = []
    for start in range(0, len(candidates), FILES_AT_ONCE):
        batch = candidates[start : start + FILES_AT_ONCE]
        photos = decoders.photos([folder / file for file in batch], spools)
        for file, photo in zip(batch, photos, strict=True):
            if isinstance(photo, ImageRefused):
                refused[file] = str(photo)
                continue
            checked.append(Checked(file, photo.digest, photo.look))
            longer_sides.append(photo.longer_side)
            for size, pixels in photo.pixels.items():
                spools[size].write(pixels.data)
        checked_so_far(start + len(batch))
    spooled = {size: _spooled(spool, (len(checked), size, size, 3)) for size, spool in spools.items()}
    return Survey(checked, longer_sides, spooled, refused)


def _spooled(spool: BinaryIO, shape: tuple[int, ...]) -> Pixels:
    spool.flush()
    return np.memmap(spool, np.uint8, "r", shape=shape) if shape[0] else np.empty(shape, np.uint8)
