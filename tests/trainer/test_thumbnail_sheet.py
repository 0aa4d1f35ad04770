"""Thumbnails of the images that a page shows, in one picture of limited size."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trainer.test_mosaic import dataset_of
from trainer.preparation.thumbnail_sheet import COLUMNS, MAX_BYTES, MAX_THUMBNAILS, SAMPLES, SIDE, write_thumbnails


def sheet_of(folder: Path, labels: dict[str, int], wrong: list[str], **left_out: Any) -> tuple[dict[str, Any], Any]:
    dataset, found = dataset_of(labels)
    write_thumbnails(folder, replace(dataset, **left_out), found, wrong)
    assert (folder / "thumbnails.jpg").stat().st_size <= MAX_BYTES
    with Image.open(folder / "thumbnails.jpg") as image:
        return json.loads((folder / "thumbnails.json").read_text(encoding="utf-8")), np.asarray(image)


def test_a_few_of_each_label_those_likely_wrong_and_pairs_are_shown(tmp_path: Path) -> None:
    pair = {"near_duplicates": {"Maize/18.png": "…"}, "other_of": {"Maize/18.png": "Maize/19.png"}}
    index, sheet = sheet_of(tmp_path, {"Maize": 20, "Cleavers": 3}, ["Cleavers/1.png"], **pair)
    assert {label: len(files) for label, files in index["samples"].items()} == {"Maize": SAMPLES, "Cleavers": 3}
    assert {"Cleavers/1.png", "Maize/18.png", "Maize/19.png"} <= set(index["files"])
    assert len(set(index["files"])) == len(index["files"])
    assert sheet.shape == (-(-len(index["files"]) // COLUMNS) * SIDE, COLUMNS * SIDE, 3)


def test_a_thumbnail_is_where_the_index_says(tmp_path: Path) -> None:
    dataset, found = dataset_of({"Maize": 20, "Cleavers": 20})
    row = next(row for row, image in enumerate(found.checked) if image.file == "Maize/4.png")
    red = np.full((32, 32, 3), (250, 10, 10), np.uint8)
    found = replace(found, picture=lambda asked: red if asked == row else np.zeros_like(red))
    write_thumbnails(tmp_path, dataset, found, ["Maize/4.png"])
    index = json.loads((tmp_path / "thumbnails.json").read_text(encoding="utf-8"))
    down, across = divmod(index["files"].index("Maize/4.png"), index["columns"])
    with Image.open(tmp_path / "thumbnails.jpg") as image:
        middle = image.getpixel((int((across + 0.5) * SIDE), int((down + 0.5) * SIDE)))
    assert middle == pytest.approx((250, 10, 10), abs=12)


def test_a_file_without_pixels_is_passed_over(tmp_path: Path) -> None:
    index, _ = sheet_of(tmp_path, {"Maize": 2}, ["Maize/not an image.png"])
    assert index["files"] == index["samples"]["Maize"]


def test_the_number_of_thumbnails_is_limited(tmp_path: Path) -> None:
    labels = {f"label {number:03}": 12 for number in range(100)}
    index, _ = sheet_of(tmp_path, labels, [f"{label}/11.png" for label in labels] * 4)
    assert len(index["files"]) <= MAX_THUMBNAILS
