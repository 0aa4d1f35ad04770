"""Photographs of seedlings of twelve species, drawn from a seed.

The species are those of the Plant Seedlings dataset (Giselsson et al. 2017, arXiv 1711.05458), seen from above on
gravel as there; none of its pixels is used.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from . import grasses, herbs
from .growth import Chance
from .photograph import photograph
from .surface import Surface

GROW: dict[str, Callable[[Chance, float], list[Surface]]] = {
    "Black-grass": grasses.black_grass,
    "Charlock": herbs.charlock,
    "Cleavers": herbs.cleavers,
    "Common Chickweed": herbs.chickweed,
    "Common wheat": grasses.wheat,
    "Fat Hen": herbs.fat_hen,
    "Loose Silky-bent": grasses.loose_silky_bent,
    "Maize": grasses.maize,
    "Scentless Mayweed": herbs.mayweed,
    "Shepherds Purse": herbs.shepherds_purse,
    "Small-flowered Cranesbill": herbs.cranesbill,
    "Sugar beet": herbs.sugar_beet,
}
SPECIES: tuple[str, ...] = tuple(GROW)
MAX_PER_SPECIES = 1_000_000


def draw(species: str, seed: int, size: int = 150) -> Image.Image:
    """One seedling as a square RGB image of `size` pixels. The seed, from 0, determines all else.

    Raises ValueError for a species not in SPECIES.
    """
    if species not in GROW:
        raise ValueError(f"There is no seedling called {species!r}; choose one of {', '.join(SPECIES)}.")
    rng = np.random.Generator(np.random.PCG64((SPECIES.index(species), seed)))
    plant = GROW[species](Chance(rng), float(rng.random()))
    return photograph(rng, plant, size)


def write(folder: Path, per_species: int, seed: int = 0) -> Iterator[Path]:
    """Draw `per_species` images of each species to `folder/<species>/`, and yield each file once it is written.

    Two seeds have no image in common.
    """
    tasks = []
    for species in SPECIES:
        (folder / species).mkdir(parents=True, exist_ok=True)
        for number in range(per_species):
            file = folder / species / f"{species.lower().replace(' ', '-')}-{number + 1:03d}.png"
            tasks.append((species, seed * MAX_PER_SPECIES + number, file))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw_to, tasks, chunksize=4)


def _draw_to(task: tuple[str, int, Path]) -> Path:
    species, seed, file = task
    draw(species, seed).save(file)
    return file
