"""Reads the files of the dataset, and what was found of the images that can be used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from trainer.decoding.inspection import Inspection, Shrinking
from trainer.decoding.pool import DecoderPool
from trainer.errors import ImageRefused
from trainer.photos import LONGEST_SIDE
from trainer.preparation.dataset import TRAIN_SHARE, CheckedImage
from trainer.types import Pixels

FILES_AT_ONCE = 64
PHOTOGRAPHS = Shrinking(LONGEST_SIDE, TRAIN_SHARE)
"""Large photographs of the validation and test splits are kept smaller."""


@dataclass(frozen=True)
class Survey:
    """The usable images, row by row, and by file name the reason for each file that was refused."""

    checked: list[CheckedImage]
    longer_sides: list[int]
    """In pixels."""
    refused: dict[str, str]
    picture: Callable[[int], Pixels]
    """The picture of a row in a small size, for people: (side, side, 3)."""
    notices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By file name, what a person should know of the image; see `Inspection`."""
    saved_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By file name, the ways in which it was saved; see saved_as.py."""


def inspections(
    folder: Path, files: Sequence[str], sizes: set[int], decoders: DecoderPool
) -> Iterator[tuple[str, Inspection | ImageRefused]]:
    """Each of the `files`, named relative to `folder`, with its inspection or the reason to refuse it.

    While the caller works on some files the next ones are decoded: memory holds two batches of them.
    """
    batches = [files[start : start + FILES_AT_ONCE] for start in range(0, len(files), FILES_AT_ONCE)]

    def read(batch: Sequence[str]) -> list[Inspection | ImageRefused]:
        return list(decoders.inspections([folder / file for file in batch], sizes, PHOTOGRAPHS))

    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(read, batches[0]) if batches else None
        for number, batch in enumerate(batches, start=1):
            assert upcoming
            found = upcoming.result()
            upcoming = reader.submit(read, batches[number]) if number < len(batches) else None
            yield from zip(batch, found, strict=True)
