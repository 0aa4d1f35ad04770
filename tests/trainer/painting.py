"""Small painted images in place of photographs, different for each seed."""

import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

LABELS = {"Sugar beet": (40, 160, 60), "Größe 100% #1+": (170, 60, 40), "Maize": (60, 70, 180)}


def paint(colour: tuple[int, int, int], seed: int, side: int = 48) -> Image.Image:
    """A noisy square of about this colour; a different one for each seed."""
    noise = np.random.default_rng(seed).integers(-40, 40, (side, side, 3))
    return Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))


def paint_dataset(folder: Path, per_label: int, first_seed: int = 0) -> None:
    """Adds `per_label` images to each label's folder, with names that need escaping in URLs."""
    for number, (label, colour) in enumerate(LABELS.items()):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for seed in range(first_seed, first_seed + per_label):
            paint(colour, 1000 * number + seed).save(folder / label / f"{seed:03} a+b 50% #ä.png")


def archive(path: Path, **files: bytes) -> Path:
    """A model.tar.gz of the files; `__` in a name stands for its dot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / f"{path.stem} content"
    folder.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            file = folder / name.replace("__", ".")
            file.write_bytes(content)
            tar.add(file, arcname=file.name)
    return path
