"""The mosaic: a picture of limited size for any number of labels with any names."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.preparation.dataset import CheckedImage, Dataset
from trainer.preparation.mosaic import COLUMNS, MAX_BYTES, MAX_LABELS, PAPER, THUMBNAIL, write_mosaic
from trainer.preparation.survey import Survey

SIZE = 32


def dataset_of(labels: dict[str, int]) -> tuple[Dataset, Survey]:
    """A dataset with so many images of each label, all noise, which compresses worst as JPEG."""
    files = [f"{label}/{number}.png" for label, images in labels.items() for number in range(images)]
    checked = [CheckedImage(file, hashlib.sha256(file.encode()).hexdigest(), bytes(32)) for file in files]
    pixels = np.random.default_rng(0).integers(0, 256, (len(files), SIZE, SIZE, 3), np.uint8)
    return Dataset(list(labels), checked), Survey(checked, [SIZE] * len(files), {}, pixels.__getitem__)


def mosaic_of(labels: dict[str, int], folder: Path) -> np.ndarray:
    write_mosaic(folder / "mosaic.jpg", *dataset_of(labels))
    assert (folder / "mosaic.jpg").stat().st_size <= MAX_BYTES
    with Image.open(folder / "mosaic.jpg") as image:
        assert image.format == "JPEG"
        return np.asarray(image)


def test_each_label_has_a_row_of_at_most_twelve_images(tmp_path: Path) -> None:
    two = mosaic_of({"Maize": 50, "Cleavers": 3}, tmp_path)
    three = mosaic_of({"Maize": 50, "Cleavers": 3, "Charlock": 12}, tmp_path)
    assert two.shape[1] == three.shape[1] > COLUMNS * THUMBNAIL
    assert THUMBNAIL < three.shape[0] - two.shape[0] < 2 * THUMBNAIL
    last_column = two[:, -40:-30]
    drawn = (np.abs(last_column.astype(int) - PAPER).max(axis=(1, 2)) > 60).sum()
    assert drawn == pytest.approx(THUMBNAIL, abs=8)


def test_labels_beyond_thirty_are_counted(tmp_path: Path) -> None:
    many = mosaic_of({f"label {number:03}": 15 for number in range(100)}, tmp_path)
    most = mosaic_of({f"label {number:03}": 15 for number in range(MAX_LABELS)}, tmp_path)
    assert 0 < many.shape[0] - most.shape[0] < THUMBNAIL


@pytest.mark.parametrize("label", ["Größe 100% #1+", "кукуруза", "a\nb\tc\x07", "\u202eezaiM", "🌱" * 300, "W" * 5000])
def test_any_label_can_be_drawn(label: str, tmp_path: Path) -> None:
    plain = mosaic_of({"Maize": 2, "Charlock": 2}, tmp_path)
    assert mosaic_of({label: 2, "Charlock": 2}, tmp_path).shape == plain.shape


def test_the_same_dataset_has_the_same_mosaic(tmp_path: Path) -> None:
    first = mosaic_of({"Maize": 50, "Cleavers": 3}, tmp_path)
    assert np.array_equal(first, mosaic_of({"Maize": 50, "Cleavers": 3}, tmp_path))
