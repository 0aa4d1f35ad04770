"""The demo's seedlings are reproducible, varied, and distinguished by the shapes of their leaves."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seedbed.seedlings import SPECIES, draw, write
from seedbed.seedlings.__main__ import main
from tests.children import run

Array = NDArray[np.float64]

# Mean red, green and blue of draw(species, 7), the same for all machines and library versions.
MEAN_COLOURS: dict[str, tuple[int, int, int]] = {
    "Black-grass": (148, 120, 85),
    "Charlock": (138, 134, 73),
    "Cleavers": (115, 106, 73),
    "Common Chickweed": (136, 115, 75),
    "Common wheat": (141, 122, 96),
    "Fat Hen": (131, 118, 94),
    "Loose Silky-bent": (100, 85, 66),
    "Maize": (138, 121, 94),
    "Scentless Mayweed": (106, 92, 62),
    "Shepherds Purse": (113, 104, 71),
    "Small-flowered Cranesbill": (97, 94, 60),
    "Sugar beet": (132, 119, 90),
}


def pixels(image: Image.Image) -> Array:
    return np.asarray(image, dtype=np.float64)


def plant(image: Image.Image) -> NDArray[np.bool_]:
    """Where the image is greener than red and blue: its leaves."""
    red, green, blue = np.moveaxis(pixels(image), -1, 0)
    return np.asarray((green > 1.01 * red) & (green > 1.12 * blue))


def shape(image: Image.Image) -> Array:
    """Features of the leaves' outline that don't depend on its place, size, rotation or colour."""
    leaves = plant(image)
    y, x = np.nonzero(leaves)
    spread = np.sort(np.linalg.eigvalsh(np.cov(np.stack([x, y])))) + 1
    rim = np.count_nonzero(leaves[1:] != leaves[:-1]) + np.count_nonzero(leaves[:, 1:] != leaves[:, :-1])
    radius = np.hypot(x - x.mean(), y - y.mean())
    rings = np.histogram(radius / (radius.max() + 1), bins=6, range=(0, 1))[0] / len(x)
    angle = np.arctan2(y - y.mean(), x - x.mean())
    rays = [abs(np.exp(1j * fold * angle).mean()) for fold in (2, 3, 4, 5)]
    hull = np.pi * np.sqrt(spread.prod())
    return np.array([spread[0] / spread[1], rim / np.sqrt(len(x)) / 10, len(x) / hull / 4, *rings, *rays])


@pytest.mark.parametrize("species", SPECIES)
def test_the_same_seed_draws_the_same_pixels_and_another_seed_others(species: str) -> None:
    first = draw(species, 7)

    assert first.tobytes() == draw(species, 7).tobytes()
    assert first.tobytes() != draw(species, 8).tobytes()


@pytest.mark.parametrize("species", SPECIES)
def test_a_drawing_does_not_change_between_releases(species: str) -> None:
    assert pixels(draw(species, 7)).mean(axis=(0, 1)) == pytest.approx(MEAN_COLOURS[species], abs=1)


def test_another_process_draws_the_same_pixels() -> None:
    program = (
        "import hashlib, sys; from seedbed.seedlings import draw; "
        "sys.stdout.write(hashlib.sha256(draw('Cleavers', 3).tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    other = run([sys.executable, "-c", program], env=environment, check=True)

    assert other.stdout == hashlib.sha256(draw("Cleavers", 3).tobytes()).hexdigest()


@pytest.mark.parametrize("size", [48, 150, 224])
def test_a_drawing_is_a_square_rgb_image_of_the_given_size(size: int) -> None:
    image = draw("Maize", 0, size)

    assert (image.mode, image.size) == ("RGB", (size, size))


def test_the_plant_is_in_view_on_soil() -> None:
    shares = [plant(draw(species, seed)).mean() for species in SPECIES for seed in range(4)]

    assert min(shares) > 0.005
    assert max(shares) < 0.7


def test_leaf_shape_alone_distinguishes_the_species() -> None:
    each = 10
    features = np.stack([shape(draw(species, seed)) for species in SPECIES for seed in range(each)])
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    distances = ((features[:, None] - features[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    owner = np.repeat(np.arange(len(SPECIES)), each)

    assert (owner[distances.argmin(axis=1)] == owner).mean() > 0.6


def test_an_unknown_species_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no seedling called 'Oak'; choose one of Black-grass, Charlock"):
        draw("Oak", 0)


def test_write_draws_each_species_into_its_own_folder(tmp_path: Path) -> None:
    files = list(write(tmp_path, 2))

    assert len(files) == 2 * len(SPECIES)
    assert sorted(files) == sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert {file.parent.name for file in files} == set(SPECIES)
    assert (tmp_path / "Small-flowered Cranesbill" / "small-flowered-cranesbill-002.png") in files
    with Image.open(tmp_path / "Charlock" / "charlock-002.png") as image:
        assert image.tobytes() == draw("Charlock", 1).tobytes()


def test_a_yielded_file_exists(tmp_path: Path) -> None:
    assert all(file.is_file() for file in write(tmp_path, 1))


def test_two_seeds_have_no_image_in_common(tmp_path: Path) -> None:
    contents = [file.read_bytes() for seed in (0, 1) for file in write(tmp_path / str(seed), 2, seed)]

    assert len(set(contents)) == len(contents)


def test_the_contact_sheet_is_a_small_png(tmp_path: Path) -> None:
    main([str(tmp_path / "images" / "sheet.png")])

    with Image.open(tmp_path / "images" / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 6 * 150
    assert (tmp_path / "images" / "sheet.png").stat().st_size < 400_000


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["sheet.txt"], 2, "choose a PNG file"),
        ([], 2, "Missing argument"),
        (["a.png", "b.png"], 2, "unexpected extra argument"),
        (["/dev/null/x/sheet.png"], 1, "/dev/null/x/sheet.png can't be written: Not a directory."),
    ],
)
def test_a_contact_sheet_that_cant_be_drawn_is_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    output, notes = capsys.readouterr()
    assert (ended.value.code, output) == (status, "")
    assert notes.splitlines()[-1].startswith("Error: ")
    assert said in notes
