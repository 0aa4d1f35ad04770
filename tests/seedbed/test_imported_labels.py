"""Labels are read as people save them: one-hot rows, numbers, names."""

import itertools
from typing import Any

import numpy as np
import pytest

from seedbed.errors import SeedbedError
from seedbed.pickles.labels import LabelNumbers, read_labels
from seedbed.pickles.pair import Part
from seedbed.pickles.values import settled

NUMBERS = np.array([0, 2, 2, 0, 3, 2, 0, 0, 3, 3, 2, 0])
ROWS = np.eye(4)[NUMBERS]
NAMES = ["oat", "pea", "rye", "Weiß"]
TEXTS = np.array(NAMES)[NUMBERS]


def read(labels: Any, names: list[str] | None = None) -> LabelNumbers:
    return read_labels(Part("y.npy", settled(labels, 1000)), names or [])


def names_of(found: LabelNumbers) -> list[str]:
    return [found.names[number] for number in found.numbers]


@pytest.mark.parametrize(
    "labels",
    [
        *(ROWS.astype(kind) for kind in (np.uint8, np.int64, np.float32, bool, ">i4")),
        *(NUMBERS.astype(kind) for kind in (np.uint8, np.int64, np.float32, ">i4", np.uint64)),
        NUMBERS[:, None],
        NUMBERS.tolist(),
        ROWS.tolist(),
        [tuple(map(int, row)) for row in ROWS],
        list(ROWS),
    ],
    ids=itertools.count(),
)
def test_rows_and_numbers_get_the_names_in_their_order(labels: Any) -> None:
    assert names_of(read(labels, NAMES)) == TEXTS.tolist()
    assert names_of(read(labels)) == [f"class_0{number}" for number in NUMBERS]


@pytest.mark.parametrize(
    "labels",
    [TEXTS, TEXTS[:, None], TEXTS.tolist(), np.char.encode(TEXTS, "utf-8"), [text.encode() for text in TEXTS]],
    ids=itertools.count(),
)
def test_texts_are_the_names(labels: Any) -> None:
    assert names_of(read(labels)) == TEXTS.tolist()
    assert read(labels, NAMES).names == NAMES
    with pytest.raises(SeedbedError, match="holds the labels' names itself, and 'Weiß' is not among those of --labels"):
        read(labels, NAMES[:3])


@pytest.mark.parametrize(
    ("numbers", "expected", "notice"),
    [
        ([1, 2, 3, 4], NAMES, ""),
        ([10, 20, 30, 40], NAMES, ""),
        ([1, 4], ["oat", "Weiß"], "they were counted from 1, so 1 is oat"),
        ([1, 3], ["pea", "Weiß"], "they were counted from 0, so 1 is pea"),
        ([0, 3], ["oat", "Weiß"], ""),
    ],
)
def test_numbers_may_count_from_1_or_be_other_numbers(numbers: list[int], expected: list[str], notice: str) -> None:
    found = read(numbers, NAMES)
    assert names_of(found) == expected
    assert notice in found.notice
    assert bool(notice) == bool(found.notice)


def test_truths_are_two_labels() -> None:
    assert names_of(read(np.array([True, False]), ["weed", "crop"])) == ["crop", "weed"]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (ROWS * 2, "is not a one-hot array"),
        (ROWS * 0, "is not a one-hot array"),
        (ROWS + np.nan, "is not a one-hot array"),
        (np.abs(ROWS - 1), "is not a one-hot array"),
        (ROWS * 0.9 + 0.025, r"is not a one-hot array: .*If it has scores, save .argmax\(axis=1\)"),
        (ROWS[:, :3], "is not a one-hot array"),
        (NUMBERS - 1, "has the label -1, and labels are whole numbers from 0 on"),
        (NUMBERS + 0.5, "has the label 0.5"),
        (NUMBERS + np.nan, "has the label nan"),
        (NUMBERS + np.inf, "has the label inf"),
        (NUMBERS + 2**40, "has the label 1.09951e"),
        ([*TEXTS[1:].tolist(), None], "has no label for image 12 of 12"),
        ([float("nan"), *TEXTS[1:].tolist()], "has no label for image 1 of 12"),
        ([b"\xff", b"a"], "a label that is not text"),
        (np.array([b"\xff", b"a"]), "a label that is not text"),
        (np.array([TEXTS, TEXTS]).T, "has 2 texts for each image"),
        (["a" * 256, "b"], "which is too long for a folder's name"),
        (np.arange(101), "has another label for each of 101 images"),
        ([f"{number}.png" for number in range(101)], "has another label for each of 101 images"),
    ],
    ids=itertools.count(),
)
def test_labels_that_make_no_sense_are_refused(labels: Any, reason: str) -> None:
    with pytest.raises(SeedbedError, match=reason):
        read(labels)


@pytest.mark.parametrize("labels", [NUMBERS, ROWS, NUMBERS.tolist()])
def test_another_number_of_names_is_refused(labels: Any) -> None:
    with pytest.raises(SeedbedError, match=r"has \d labels, but 2 were named: oat, pea\."):
        read(labels, NAMES[:2])
