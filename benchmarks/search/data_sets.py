"""The data sets: folders of images with one sub-folder per label, and what prepare makes of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from seedbed.seedlings import SPECIES, draw

SEED = 7
DRAWN_PER_SPECIES, PER_FEW = 30, 30
LETTERS, EACH_LETTER, LETTER_SIDE = "ABCDEFGHKMNPRSTUVXYZ", 40, 64
SIZE_IMAGES = 1600
ALIKE = ("Black-grass", "Loose Silky-bent")
FEW = ("Charlock", "Fat Hen", "Sugar beet")

Maker = Callable[[Path, Path], None]
"""Makes a data set in the second folder, of the photographs in the first."""


def whole(photographs: Path, made: Path) -> None:
    """The photographs as they are."""
    shutil.copytree(photographs, made, dirs_exist_ok=True, copy_function=shutil.copyfile)


def drawn(_: Path, made: Path) -> None:
    """Seedlings of twelve species, drawn."""
    for species in SPECIES:
        (made / species).mkdir(parents=True)
        for number in range(DRAWN_PER_SPECIES):
            draw(species, number).save(made / species / f"{number:03d}.png")


def letters(_: Path, made: Path) -> None:
    """Letters in the typefaces that matplotlib has, turned and on coloured ground."""
    import matplotlib as mpl  # noqa: PLC0415  takes half a second

    rng = np.random.default_rng(SEED)
    faces = sorted(Path(mpl.get_data_path(), "fonts/ttf").glob("DejaVuS*.ttf"))
    for letter in LETTERS:
        (made / letter).mkdir(parents=True)
        for number in range(EACH_LETTER):
            ground, ink = (tuple(int(part) for part in rng.integers(0, 256, 3)) for _ in range(2))
            image = Image.new("RGB", (LETTER_SIDE, LETTER_SIDE), ground)
            face = ImageFont.truetype(str(faces[rng.integers(len(faces))]), int(rng.integers(16, 48)))
            place = (float(rng.integers(20, 44)), float(rng.integers(20, 44)))
            ImageDraw.Draw(image).text(place, letter, fill=ink, font=face, anchor="mm")
            turned = image.rotate(float(rng.uniform(-40, 40)), Image.Resampling.BILINEAR, fillcolor=ground)
            noisy = np.asarray(turned, np.float32) + rng.normal(0, 25, (LETTER_SIDE, LETTER_SIDE, 3))
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(made / letter / f"{number:03d}.png")


def few(photographs: Path, made: Path) -> None:
    """Three species, 30 photographs each; for test all those of the photographs' test split."""
    rng = np.random.default_rng(SEED)
    for label in FEW:
        files = sorted((photographs / label).iterdir())
        _copy(made / label, [files[row] for row in sorted(rng.choice(len(files), PER_FEW, replace=False))])


def alike(photographs: Path, made: Path) -> None:
    """The two species that are confused most."""
    for label in ALIKE:
        _copy(made / label, sorted((photographs / label).iterdir()))


def sizes(photographs: Path, made: Path) -> None:
    """How much of the photograph is green, in quarters: nothing of the species."""
    files = sorted(file for file in photographs.glob("*/*") if file.is_file())
    rows = np.random.default_rng(SEED).choice(len(files), min(SIZE_IMAGES, len(files)), replace=False)
    chosen = [files[row] for row in sorted(rows)]
    green = [_green(file) for file in chosen]
    quarter = np.searchsorted(np.quantile(green, [0.25, 0.5, 0.75]), green)
    for number in range(4):
        _copy(made / f"quarter {number + 1}", [file for file, of in zip(chosen, quarter, strict=True) if of == number])


FEW_NAME, WHOLE_NAME = "few photographs", "photographs"
MAKERS: dict[str, Maker] = {
    FEW_NAME: few,
    "drawn seedlings": drawn,
    "letters": letters,
    "two alike": alike,
    "plant size": sizes,
    WHOLE_NAME: whole,
}
WITHOUT_PHOTOGRAPHS = ("letters", "drawn seedlings")


def images_of(name: str, photographs: Path, folder: Path) -> Path:
    """The folder of a data set's images below `folder`, made if it isn't there yet."""
    made = folder / name / "images"
    if not made.exists():
        unfinished = made.with_name("unfinished")
        unfinished.mkdir(parents=True)
        MAKERS[name](photographs, unfinished)
        unfinished.rename(made)
    return made


def _copy(folder: Path, files: list[Path]) -> None:
    folder.mkdir()
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _green(file: Path) -> float:
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32)
    return float((2 * pixels[..., 1] - pixels[..., 0] - pixels[..., 2] > 30).mean())
