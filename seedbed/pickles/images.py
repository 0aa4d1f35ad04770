"""Turns arrays of images and of their labels into a folder of PNGs with one sub-folder per label."""

import shutil
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import SeedbedError
from .label_folders import label_folders
from .labels import read_labels
from .pair import read_pair
from .pixels import Scale, check_shapes, picture, scale_of
from .values import Images

AT_ONCE = 256


@dataclass(frozen=True)
class LabelledImages:
    """Images, their label numbers (n,), and the labels' names."""

    images: Images
    scale: Scale
    numbers: npt.NDArray[np.intp]
    names: Sequence[str]
    """Of the labels, by number; those that look alike have the same name."""
    notices: Sequence[str] = ()
    """What people should know of how the images and labels were read."""


def read_pickles(
    images: Path, labels: Path | None = None, names: Sequence[str] = (), arrays: Sequence[str] = ()
) -> LabelledImages:
    """Read images and their labels, in the same order, from two files, or from one that holds both.

    `names` are those of the labels in the order of their numbers; `arrays` are the names of the two arrays in files
    that hold more. Raises SeedbedError if a file is not what it should be, or the two don't belong together.
    """
    pixels, rows = read_pair(images, labels, arrays)
    found = read_labels(rows, names)
    count = len(found.numbers)
    check_shapes(pixels, count)
    if len(pixels.value) != count:
        together = "files that were written" if labels else "arrays that belong"
        raise SeedbedError(
            f"{pixels.source} holds {len(pixels.value):,} images and {rows.source} the labels of {count:,}: "
            f"choose the two {together} together."
        )
    scale = scale_of(pixels)
    folders, alike = label_folders(found.names, found.numbers)
    notices = [notice for notice in (scale.notice, found.notice, *alike) if notice]
    return LabelledImages(pixels.value, scale, found.numbers, folders, notices)


def write_images(found: LabelledImages, folder: Path, *, blue_first: bool) -> Generator[Path, None, None]:
    """Write each image to `<label>/<row>.png` and yield its path; closing the generator early deletes all of them.

    Raises SeedbedError if the folder exists and is not empty.
    """
    check_new(folder)
    digits = len(str(len(found.images) - 1))

    def write(row: int) -> Path:
        path: Path = folder / found.names[found.numbers[row]] / f"{row:0{digits}}.png"
        Image.fromarray(picture(found.images[row], found.scale, blue_first=blue_first)).save(path)
        return path

    rows = iter(range(len(found.images)))
    with (
        new_folders(folder, sorted({found.names[number] for number in np.unique(found.numbers)})),
        ThreadPoolExecutor() as pool,
    ):
        while batch := list(islice(rows, AT_ONCE)):
            yield from pool.map(write, batch)


def check_new(folder: Path) -> None:
    """Raises SeedbedError if the folder exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SeedbedError(f"{folder} exists already. Choose a new folder for the images.")


@contextmanager
def new_folders(parent: Path, names: Sequence[str]) -> Iterator[None]:
    """Creates folders, and deletes them if the block fails."""
    made: list[Path] = []
    try:
        for name in names:
            (parent / name).mkdir(parents=True)
            made.append(parent / name)
        yield
    except BaseException:
        for folder in made:
            shutil.rmtree(folder)
        with suppress(OSError):
            parent.rmdir()
        raise
