"""Photographs that differ in kind from those that a model learnt from are told, and others are not."""

from typing import Any

import cv2
import numpy as np
import pytest

from trainer.evaluation.named_changes import CHANGES
from trainer.inference.photo_kind import PhotoComparison, describe
from trainer.types import Pixels

SIDE = 64


def photographs(count: int, seed: int) -> Pixels:
    """Blurred blotches, each in a light, contrast and colour of its own."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        blotches = rng.normal(0, rng.uniform(20, 40), (16, 16, 3))
        grain = rng.normal(0, 4, (SIDE, SIDE, 3))
        enlarged = cv2.resize(blotches, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        colour = rng.uniform(90, 150) + rng.uniform(-20, 20, 3)
        pictures.append(np.clip(enlarged + grain + colour, 0, 255).astype(np.uint8))
    return np.stack(pictures)


LEARNT = {"photographs": describe(photographs(100, seed=1))}


def note_on(images: Pixels, facts: dict[str, Any] = LEARNT) -> str:
    compared = PhotoComparison(facts)
    for start in range(0, len(images), 8):
        compared.add(images[start : start + 8])
    return compared.note()


@pytest.mark.parametrize("count", [1, 10, 60])
def test_photographs_of_the_same_kind_are_not_told(count: int) -> None:
    assert [note_on(photographs(count, seed)) for seed in range(2, 6)] == [""] * 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("blurred", "less sharp"),
        ("half the resolution", "less sharp"),
        ("noise", "sharper or noisier"),
        ("darker", "darker"),
        ("brighter", "brighter"),
        ("low contrast", "lower in contrast"),
        ("warmer", "warmer"),
    ],
)
def test_photographs_of_another_kind_are_told(change: str, words: str) -> None:
    changed = np.stack([CHANGES[change](image) for image in photographs(40, seed=2)])
    assert words in note_on(changed)


def test_a_single_photograph_is_told_only_if_it_is_far_off() -> None:
    (image,) = photographs(1, seed=2)
    note = note_on(np.stack([image // 8]))
    assert note.startswith("This photograph is ")
    assert "darker" in note


@pytest.mark.parametrize(
    "described",
    [
        None,
        [],
        {},
        {"other": [0.0, 1.0]},
        {"brightness": "text"},
        {"brightness": [1.0]},
        {"brightness": [0.0, 0.0]},
        {"brightness": [float("nan"), 1.0]},
        {"brightness": [[], {}]},
    ],
)
def test_a_model_that_does_not_say_what_it_learnt_from_is_compared_with_nothing(described: Any) -> None:
    assert note_on(photographs(2, seed=2), {"photographs": described}) == ""


def test_no_photographs_are_not_told() -> None:
    assert PhotoComparison(LEARNT).note() == ""
