"""Makes any number of different photographs from those at hand: each is a changed copy of one of them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from seedbed.seedlings import write
from trainer import vary
from trainer.files import list_files
from trainer.types import Pixels

SIDE, QUALITY = 150, 92
"""As the photographs of the Plant Seedlings dataset are."""
CLOSEST, FARTHEST, SHIFT = 0.55, 0.9, 0.2
DRAWN_PER_SPECIES = 170

Task = tuple[Path, Path, Sequence[int]]
"""A photograph, the copies' folder, and their numbers."""


def make_images(source: Path, folder: Path, count: int) -> None:
    """Writes `count` copies of the photographs below `source` as `folder/<label>/<photograph>-<number>.jpg`."""
    files = list_files(source)
    np.random.default_rng(0).shuffle(files)
    for label in {file.split("/")[0] for file in files}:
        (folder / label).mkdir(parents=True)
    tasks: list[Task] = [
        (source / file, folder / file.split("/")[0], range(place, count, len(files)))
        for place, file in enumerate(files)
        if place < count
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_start) as pool:
        for _ in pool.map(_copy, tasks, chunksize=16):
            pass


def draw(folder: Path) -> None:
    """Draws seedlings, for a machine without photographs."""
    for _ in write(folder, DRAWN_PER_SPECIES):
        pass


def changed_copies(image: Pixels, seeds: Sequence[int]) -> Iterator[Pixels]:
    """A copy of a square image for each seed: a part of it, turned, in other light and saved otherwise."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        yield vary.resaved(_framed(image, rng), 1.0, rng)


def _framed(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by any angle, stretched, and so close that copies of one photograph are no near-duplicates."""
    side = len(image)
    angle, scales = rng.uniform(0, 2 * np.pi), rng.uniform(CLOSEST, FARTHEST, 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag(scales)
    middle = (side - 1) / 2
    shown = middle + rng.uniform(-SHIFT, SHIFT, 2) * side
    seen_through = np.hstack([turn, (shown - turn @ (middle * np.ones(2)))[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    framed = cv2.warpAffine(image, seen_through, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(framed, np.uint8)


def _start() -> None:
    cv2.setNumThreads(1)


def _copy(task: Task) -> None:
    file, folder, numbers = task
    with Image.open(file) as photograph:
        image = np.asarray(photograph.convert("RGB").resize((SIDE, SIDE)), np.uint8)
    for number, copy in zip(numbers, changed_copies(image, numbers), strict=True):
        Image.fromarray(copy).save(folder / f"{file.stem}-{number:08}.jpg", quality=QUALITY)
