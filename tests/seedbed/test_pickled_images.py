"""Arrays of images and labels, the founding article's among them, become a folder for upload."""

import itertools
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


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (PIXELS.transpose(0, 3, 1, 2), PIXELS),
        (PIXELS[..., 0], PIXELS[..., 0]),
        (PIXELS[..., :1], PIXELS[..., 0]),
        (PIXELS[:, None, :, :, 0], PIXELS[..., 0]),
        (np.concatenate([PIXELS, PIXELS[..., :1]], 3), np.concatenate([PIXELS, PIXELS[..., :1]], 3)),
        (list(PIXELS), PIXELS),
        (list(PIXELS[..., 0]), PIXELS[..., 0]),
        (PIXELS > 127, (PIXELS > 127) * 255),
        ((PIXELS > 127).astype(np.uint8), (PIXELS > 127) * 255),
        ((PIXELS / 255).astype(np.float16), PIXELS),
        (PIXELS / 254.99, PIXELS),
        (PIXELS.astype(np.uint16) * 257, PIXELS),
        (PIXELS.astype(">u2") * 257, PIXELS),
        (PIXELS.astype(np.uint16) * 16, np.rint(PIXELS / 4095 * 16 * 255)),
        (PIXELS[:, ::-1, ::-1], PIXELS[:, ::-1, ::-1]),
    ],
    ids=itertools.count(),
)
def test_images_of_each_layout_and_depth_are_written(
    images: Any, expected: np.ndarray, tmp_path: Path, folder: Path
) -> None:
    found = written(pickled(tmp_path, images), folder)
    assert np.abs(np.stack(list(found.values())).astype(int) - expected).max() <= (1 if images is not PIXELS else 0)
    assert {pixels.shape for pixels in found.values()} == {expected.shape[1:]}


def test_images_of_several_sizes_are_written(tmp_path: Path, folder: Path) -> None:
    images = [image[: 2 + row % 3] if row % 2 else image[..., 0] for row, image in enumerate(PIXELS)]
    found = written(pickled(tmp_path, images), folder)
    for pixels, expected in zip(found.values(), images, strict=True):
        assert np.array_equal(pixels, expected)


def test_blue_comes_first_in_images_with_opacity_too(tmp_path: Path, folder: Path) -> None:
    images = np.concatenate([PIXELS, PIXELS[..., :1]], 3)
    found = written(pickled(tmp_path, images), folder, blue_first=True)
    assert np.array_equal(np.stack(list(found.values())), images[..., [2, 1, 0, 3]])


@pytest.mark.parametrize(("factor", "bits"), [(3, 10), (257, 16)])
def test_the_depth_that_was_assumed_is_told(factor: int, bits: int, tmp_path: Path) -> None:
    (notice,) = read_pickles(*pickled(tmp_path, PIXELS.astype(np.uint16) * factor)).notices
    assert f"they were taken for {bits} bits, and made 8" in notice


@pytest.mark.parametrize(
    ("images", "rows", "reason"),
    [
        (PIXELS[0], ROWS, r"npX_keras.pkl has the shape \(6, 5, 3\), that of one image"),
        (PIXELS[..., :2], ROWS, r"npX_keras.pkl has the shape \(12, 6, 5, 2\), not the shape"),
        (PIXELS[None], ROWS, r"npX_keras.pkl has the shape \(1, 12, 6, 5, 3\), not the shape"),
        (np.moveaxis(PIXELS, 0, 3), ROWS, r"the images last: save numpy.moveaxis\(images, -1, 0\)"),
        ([*PIXELS[1:], PIXELS[0, ..., :2]], ROWS, r"has an image of the shape \(6, 5, 2\), not \(height, width, 3\)"),
        (PIXELS.reshape(12, -1), ROWS, r"an array of uint8 of the shape \(12, 90\), not images"),
        (PIXELS / 127.5 - 1, ROWS, "values from -1 to 1: give the images as they were before"),
        (PIXELS / 250, ROWS, "values from 0 to 1.02: give the images as they were before"),
        (PIXELS.astype(np.int16) - 1, ROWS, "values from -1 to 254"),
        (PIXELS.astype(np.uint32) * 258, ROWS, "to 65790"),
        (PIXELS * 257.0, ROWS, "to 65535"),
        (np.where(PIXELS.max() == PIXELS, np.nan, PIXELS), ROWS, "pixels without a value"),
        (np.where(PIXELS.max() == PIXELS, np.inf, PIXELS), ROWS, "to inf"),
        (PIXELS[:-1], ROWS, r"npX_keras.pkl holds 11 images and .*oh_npY.pkl the labels of 12"),
        (np.array(["maize"]), ROWS, "npX_keras.pkl holds an array of str.*, not images"),
        ([1], ROWS, "npX_keras.pkl holds an array of int64 .*, not images"),
        (PIXELS, PIXELS, "oh_npY.pkl holds an array of uint8 .*, not labels"),
    ],
    ids=itertools.count(),
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
    assert '"Fat Hen" (4) and "fat  hen" (3) differ only in capitals, blanks or the form' in done.output
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


def imported(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["import", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_import_takes_one_file_and_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("all.npz", x_train=PIXELS, y_train=NUMBERS + 1, x_test=PIXELS[:1], y_test=NUMBERS[:1])
    both = ("all.npz", "--arrays", "x_train, y_train", "--labels", "a,b,c,d")
    assert f"12 images of 4 labels are in {tmp_path / 'imported'}." in imported(*both)
    told = imported(*both[:1], "photos", *both[1:])
    assert "No label is 0: they were counted from 1, so 1 is a." in told
    assert f"12 images of 4 labels are in {tmp_path / 'photos'}." in told
    assert {path.name for path in Path("photos").iterdir()} == {"a", "c", "d"}


def test_a_mistyped_file_of_labels_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=PIXELS, y=NUMBERS)
    done = CliRunner().invoke(app, ["import", str(tmp_path / "all.npz"), str(tmp_path / "absent.npy")])
    assert "absent.npy can't be read: No such file" in str(done.exception)


def test_import_without_bgr_explains_how_to_check_the_colours(tmp_path: Path, folder: Path) -> None:
    done = CliRunner().invoke(app, ["import", *map(str, pickled(tmp_path)), str(folder)])
    assert "import them again with --bgr" in done.output
