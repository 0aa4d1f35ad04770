"""Turns pickled arrays of images and of their labels into a folder of PNGs with one sub-folder per label."""

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
from .array import Array, read_array
from .label_folders import label_folders

AT_ONCE = 256


@dataclass(frozen=True)
class LabelledImages:
    """Images (n, height, width, 3), their label numbers (n,), and the labels' names."""

    images: Array
    scale: float
    """The factor that brings the images' values to 0 to 255."""
    numbers: npt.NDArray[np.intp]
    names: Sequence[str]
    """Of the labels, by number; those that look alike have the same name."""
    notices: Sequence[str] = ()


def read_pickles(images: Path, labels: Path, names: Sequence[str] = ()) -> LabelledImages:
    """Read images with values from 0 to 255 or from 0 to 1, and one-hot rows (n, labels) in the same order.

    Without names the labels are called `class_00` and so on. Raises SeedbedError if a file is not what it should be, or
    the two don't belong together.
    """
    pixels, rows = read_array(images), read_array(labels)
    scale, numbers = _scale(images, pixels), _numbers(labels, rows)
    if len(pixels) != len(numbers):
        raise SeedbedError(
            f"{images} holds {len(pixels):,} images and {labels} the labels of {len(numbers):,}: "
            "choose the two files that were written together."
        )
    names = names or [f"class_{number:02}" for number in range(rows.shape[1])]
    if len(names) != rows.shape[1]:
        raise SeedbedError(f"{labels} has {rows.shape[1]} labels, but {len(names)} were named: {', '.join(names)}.")
    folders, notices = label_folders(names, numbers)
    return LabelledImages(pixels, scale, numbers, folders, notices)


def write_images(found: LabelledImages, folder: Path, *, blue_first: bool) -> Generator[Path, None, None]:
    """Write each image to `<label>/<row>.png` and yield its path; closing the generator early deletes all of them.

    Raises SeedbedError if the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SeedbedError(f"{folder} exists already. Choose a new folder for the images.")
    digits = len(str(len(found.images) - 1))

    def write(row: int) -> Path:
        path: Path = folder / found.names[found.numbers[row]] / f"{row:0{digits}}.png"
        pixels = np.rint(found.images[row] * np.float32(found.scale)).astype(np.uint8)
        Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1] if blue_first else pixels)).save(path)
        return path

    rows = iter(range(len(found.images)))
    with (
        new_folders(folder, sorted({found.names[number] for number in np.unique(found.numbers)})),
        ThreadPoolExecutor() as pool,
    ):
        while batch := list(islice(rows, AT_ONCE)):
            yield from pool.map(write, batch)


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


def _scale(path: Path, images: Array) -> float:
    if images.ndim != 4 or images.shape[3] != 3:
        raise SeedbedError(f"{path} has the shape {images.shape}, not the shape (images, height, width, 3).")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 255):
        raise SeedbedError(
            f"{path} has values from {low:g} to {high:g}: give the images as they were before they were normalised, "
            "from 0 to 255 or from 0 to 1."
        )
    return 255.0 if images.dtype.kind == "f" and high <= 1 else 1.0


def _numbers(path: Path, rows: Array) -> npt.NDArray[np.intp]:
    if rows.ndim != 2 or not ((rows == 0) | (rows == 1)).all() or not (rows.sum(axis=1) == 1).all():
        raise SeedbedError(
            f"{path} is not a one-hot array: each row has a single 1, in the column of its label, and zeros."
        )
    numbers: npt.NDArray[np.intp] = rows.argmax(axis=1)
    return numbers
