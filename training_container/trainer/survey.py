"""Reads every file of the dataset once: its digest and small picture, or the reason to refuse it."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from trainer.dataset import Checked, name_refusal
from trainer.errors import ImageRefused
from trainer.images import Photo, Pixels, read_photo

FILES_AT_ONCE = 128
MAX_DECODERS = 8


@dataclass(frozen=True)
class Survey:
    """Files that are images, their pixels (n, size, size, 3) row by row in the same order, and why others are not."""

    checked: list[Checked]
    pixels: Pixels
    refused: dict[str, str]


def survey(
    folder: Path, files: Sequence[str], image_size: int, spool: IO[bytes], checked_so_far: Callable[[int], None]
) -> Survey:
    """Reads `files`, named relative to `folder`. The pixels go to the open file `spool`, which must outlive them.

    Memory holds one batch of files at a time, whatever their number.
    """
    refused = {file: reason for file in files if (reason := name_refusal(file))}
    candidates = [file for file in files if file not in refused]
    checked: list[Checked] = []
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MAX_DECODERS)) as pool:
        for start in range(0, len(candidates), FILES_AT_ONCE):
            batch = candidates[start : start + FILES_AT_ONCE]
            photos = pool.map(lambda file: _read(folder / file, image_size), batch)
            for file, photo in zip(batch, photos, strict=True):
                if isinstance(photo, ImageRefused):
                    refused[file] = str(photo)
                else:
                    checked.append(Checked(file, photo.digest))
                    spool.write(photo.pixels.tobytes())
            checked_so_far(start + len(batch))
    return Survey(checked, _spooled(spool, (len(checked), image_size, image_size, 3)), refused)


def _read(path: Path, image_size: int) -> Photo | ImageRefused:
    try:
        return read_photo(path, image_size)
    except ImageRefused as refusal:
        return refusal


def _spooled(spool: IO[bytes], shape: tuple[int, ...]) -> Pixels:
    spool.flush()
    return np.memmap(spool, np.uint8, "r", shape=shape) if shape[0] else np.empty(shape, np.uint8)
