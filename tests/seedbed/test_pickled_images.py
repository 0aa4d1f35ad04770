"""The founding article's pickles become a folder for upload."""

import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from seedbed.cli import app
from seedbed.errors import SeedbedError
from seedbed.pickles.images import read_pickles, write_images
from seedbed.upload import files_of

PIXELS = np.random.default_rng(6).integers(0, 256, (12, 6, 5, 3), np.uint8)
NUMBERS = np.array([0, 2, 2, 0, 3, 2, 0, 0, 3, 3, 2, 0])
ROWS = np.eye(4)[NUMBERS]


class Pair(NamedTuple):
    """The two files."""

    images: Path
    labels: Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "imported"


def pickled(tmp_path: Path, images: Any = PIXELS, rows: Any = ROWS) -> Pair:
    pair = Pair(tmp_path / "npX_keras.pkl", tmp_path / "oh_npY.pkl")
    for path, array in zip(pair, (images, rows), strict=True):
        path.write_bytes(pickle.dumps(array, 3))
    return pair


def written(pair: Pair, folder: Path, *, blue_first: bool = False) -> dict[str, np.ndarray]:
    """The images by `<label>/<file>`."""
    paths = list(write_images(read_pickles(*pair), folder, blue_first=blue_first))
    return {path.relative_to(folder).as_posix(): np.asarray(Image.open(path)) for path in paths}


@pytest.mark.parametrize(
    "images",
    [
        PIXELS,
        PIXELS.astype(np.float64),
        PIXELS.astype(np.float32) / 255,
        PIXELS.astype(np.float64) / 255,
        PIXELS.astype(np.int64),
        np.asfortranarray(PIXELS),
    ],
    ids=["bytes", "floats to 255", "single floats to 1", "double floats to 1", "integers", "columns first"],
)
def test_each_image_is_a_png_in_its_labels_folder(images: np.ndarray, tmp_path: Path, folder: Path) -> None:
    found = written(pickled(tmp_path, images), folder)
    assert list(found) == [f"class_{number:02}/{row:02}.png" for row, number in enumerate(NUMBERS)]
    for pixels, expected in zip(found.values(), PIXELS, strict=True):
        assert np.array_equal(pixels, expected)


def test_bgr_images_are_converted_to_rgb(tmp_path: Path, folder: Path) -> None:
    found = written(pickled(tmp_path, PIXELS[..., ::-1]), folder, blue_first=True)
    assert np.array_equal(np.stack(list(found.values())), PIXELS)


def test_halves_of_a_colour_are_rounded(tmp_path: Path, folder: Path) -> None:
    found = written(pickled(tmp_path, np.full((12, 2, 2, 3), 99.7)), folder)
    assert {int(pixels.max()) for pixels in found.values()} == {100}


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool])
def test_one_hot_rows_may_have_any_numeric_type(dtype: type, tmp_path: Path) -> None:
    assert np.array_equal(read_pickles(*pickled(tmp_path, rows=ROWS.astype(dtype))).numbers, NUMBERS)


@pytest.mark.parametrize(
    ("images", "rows", "reason"),
    [
        (PIXELS[0], ROWS, r"npX_keras.pkl has the shape \(6, 5, 3\)"),
        (PIXELS[..., :1], ROWS, r"npX_keras.pkl has the shape \(12, 6, 5, 1\)"),
        (PIXELS.transpose(0, 3, 1, 2), ROWS, r"npX_keras.pkl has the shape \(12, 3, 6, 5\)"),
        (PIXELS / 127.5 - 1, ROWS, "values from -1 to 1: give the images as they were before"),
        (PIXELS.astype(np.uint16) * 257, ROWS, "to 65535"),
        (np.where(PIXELS.max() == PIXELS, np.nan, PIXELS), ROWS, "values from nan to nan"),
        (np.where(PIXELS.max() == PIXELS, np.inf, PIXELS), ROWS, "to inf"),
        (PIXELS[:-1], ROWS, r"npX_keras.pkl holds 11 images and .*oh_npY.pkl the labels of 12"),
        (PIXELS, NUMBERS, "is not a one-hot array"),
        (PIXELS, ROWS * 2, "is not a one-hot array"),
        (PIXELS, ROWS * 0, "is not a one-hot array"),
        (PIXELS, np.abs(ROWS - 1), "is not a one-hot array"),
        (PIXELS, ROWS + np.nan, "is not a one-hot array"),
        ([1], ROWS, "npX_keras.pkl can't be read as a pickled array"),
        (PIXELS, [1], "oh_npY.pkl can't be read as a pickled array"),
    ],
)
def test_arrays_other_than_labelled_images_are_refused(images: Any, rows: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match=reason):
        read_pickles(*pickled(tmp_path, images, rows))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a", "b", "c"], "has 4 labels, but 3 were named: a, b, c"),
        (["a", "b", "c", "a"], "Two labels have the same name"),
        (["a", "b", "c", "../d"], "can't be called '../d'"),
        (["a", "b", "c", ".."], r"can't be called '\.\.'"),
        (["a", "b", "c", ""], "can't be called ''"),
        (["a", "b", "c", "d\0"], "its name has a control character"),
        (["a", "b", "c", "d\\e"], "its name has a backslash"),
        (["a", "b", "c", "d/e"], "it has a slash"),
        (["a", "b", "c", "é" * 128], "its name is longer than 255 bytes"),
        (["a", "b", "c", "\u200b "], "its name is blank"),
        (["a", "b", "c", "\udcff"], "its name is not valid UTF-8"),
        (["a", "b", "c", "\u200b.git"], "a hidden or system file's"),
        (["a", "b", "c", "__MACOSX"], "a hidden or system file's"),
    ],
)
def test_invalid_label_names_are_refused(names: list[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match=reason):
        read_pickles(*pickled(tmp_path), names)


SCRIPTS = [
    "\u06a9\u0627\u0647\u200c\u0647\u0627",
    "\u0915\u094d\u200d\u0937",
    "\u05d7\u05d9\u05d8\u05d4",
    "\U0001f468\u200d\U0001f33e",
]
"""Persian and Hindi words and an emoji with a joiner, and a Hebrew word."""


def test_labels_of_any_script_become_folders(tmp_path: Path, folder: Path) -> None:
    list(write_images(read_pickles(*pickled(tmp_path), SCRIPTS), folder, blue_first=False))
    assert {path.name for path in folder.iterdir()} == {SCRIPTS[number] for number in set(NUMBERS)}


def test_labels_that_look_alike_become_one_folder_with_a_notice(tmp_path: Path, folder: Path) -> None:
    asked = ["import", *map(str, pickled(tmp_path)), str(folder), "--labels", "Maize,Cleavers,Fat Hen,fat \u00a0hen"]

    done = CliRunner().invoke(app, asked)

    assert {path.name: len(list(path.iterdir())) for path in folder.iterdir()} == {"Maize": 5, "Fat Hen": 7}
    assert '"Fat Hen" (4) and "fat \u00a0hen" (3) differ only in capitals, blanks or the form' in done.output
    assert f"12 images of 3 labels are in {folder}" in done.output


@pytest.mark.parametrize("taken", [Path.touch, lambda folder: (folder / "Maize").mkdir(parents=True)])
def test_an_existing_folder_is_not_written_to(taken: Any, tmp_path: Path, folder: Path) -> None:
    taken(folder)
    with pytest.raises(SeedbedError, match="exists already"):
        written(pickled(tmp_path), folder)


def test_import_creates_a_folder_for_upload(tmp_path: Path, folder: Path) -> None:
    pair = pickled(tmp_path, PIXELS[..., ::-1])
    labels = "Maize, Fat Hen, Sugar beet, Loose Silky-bent"

    done = CliRunner().invoke(app, ["import", *map(str, pair), str(folder), "--bgr", "--labels", labels])

    assert done.exit_code == 0, done.output
    assert f"12 images of 4 labels are in {folder}" in done.output
    keys = [key for _, key in files_of(folder)]
    assert sorted({key.split("/")[1] for key in keys}) == ["Loose Silky-bent", "Maize", "Sugar beet"]
    assert len(keys) == 12
    assert np.array_equal(np.asarray(Image.open(folder / "Maize/00.png")), PIXELS[0])


def test_import_without_bgr_explains_how_to_check_the_colours(tmp_path: Path, folder: Path) -> None:
    done = CliRunner().invoke(app, ["import", *map(str, pickled(tmp_path)), str(folder)])
    assert "import them again with --bgr" in done.output
