"""Harmless changes of photographs, fixed and random."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.painting import LABELS, paint
from trainer import changes
from trainer.changes import Light
from trainer.types import Pixels
from trainer.vary import changed_once_or_twice, reframed, resaved, varied

SIDE = 48
PLANT = changes.blurred(np.asarray(paint(next(iter(LABELS.values())), 1, SIDE)), 3)


def detail(image: Pixels) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(image.astype(np.float32), axis=0)).mean())


@given(height=st.integers(8, 70), width=st.integers(8, 70), strength=st.floats(0, 1), seed=st.integers(0, 10_000))
@settings(max_examples=150)
def test_any_photograph_stays_one_of_its_size(height: int, width: int, strength: float, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    before = image.copy()
    result = resaved(image, strength, np.random.default_rng(seed))
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert np.array_equal(image, before)


def test_without_strength_nothing_but_the_orientation_changes() -> None:
    rng = np.random.default_rng(3)
    assert all(np.array_equal(resaved(PLANT, 0.0, rng), PLANT) for _ in range(20))
    grey = np.full((SIDE, SIDE, 3), 99, np.uint8)
    assert all(np.array_equal(reframed(grey, 0.0, rng), grey) for _ in range(20))


def test_most_photographs_are_changed_at_full_strength_and_some_are_not() -> None:
    unchanged = [np.array_equal(resaved(PLANT, 1.0, np.random.default_rng(seed)), PLANT) for seed in range(200)]
    assert 0.01 < np.mean(unchanged) < 0.2  # each of the four kinds of change happens half of the time


@given(side=st.integers(8, 70), seed=st.integers(0, 10_000))
@settings(max_examples=150)
def test_a_cached_view_of_any_image_has_its_size(side: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    before = image.copy()
    view = changed_once_or_twice(image, np.random.default_rng(seed))
    assert view.shape == image.shape
    assert view.dtype == np.uint8
    assert np.array_equal(image, before)


def test_few_cached_views_are_the_image_itself() -> None:
    same = [np.array_equal(changed_once_or_twice(PLANT, np.random.default_rng(seed)), PLANT) for seed in range(200)]
    assert np.mean(same) < 0.05


def both_ways(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    again = copy.deepcopy(rng)
    return varied(image, 1.0, rng), changed_once_or_twice(image, again)


def test_a_seed_repeats_a_change_and_another_makes_another() -> None:
    first, second, other = (both_ways(PLANT, np.random.default_rng(seed)) for seed in (5, 5, 6))
    for one, same, another in zip(first, second, other, strict=True):
        assert np.array_equal(one, same)
        assert not np.array_equal(one, another)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: changes.encoded(image, changes.JPEG, 95, full_chroma=True),
        lambda image: changes.encoded(image, changes.WEBP, 95),
        lambda image: changes.enlarged_to(changes.scaled(image, 0.8), image),
        lambda image: changes.relit(image, Light()),
        lambda image: changes.noisy(image, 0, np.random.default_rng(1)),
    ],
    ids=["JPEG", "WebP", "resolution", "light", "noise"],
)
def test_slight_changes_keep_colours_and_shapes_in_place(change: Callable[[Pixels], Pixels]) -> None:
    difference = np.abs(change(PLANT).astype(int) - PLANT.astype(int))
    assert difference.mean() < 6


def test_each_change_does_what_its_name_says() -> None:
    rng = np.random.default_rng(2)
    assert detail(changes.blurred(PLANT, 3)) < detail(PLANT) < detail(changes.sharpened(PLANT, 1.0, 4))
    assert detail(changes.noisy(PLANT, 10, rng)) > detail(PLANT)
    assert (
        changes.relit(PLANT, Light(exposure=1.3)).mean() > PLANT.mean() > changes.relit(PLANT, Light(gamma=1.5)).mean()
    )
    assert changes.relit(PLANT, Light(contrast=0.5)).std() < PLANT.std()
    assert np.ptp(changes.relit(PLANT, Light(saturation=0.0)).astype(int), axis=2).max() <= 1
    warmer = changes.relit(PLANT, Light(tint=(1.2, 1.0, 0.8))).mean(axis=(0, 1)) - PLANT.mean(axis=(0, 1))
    assert warmer[0] > 0 > warmer[2]
    grey_noise = changes.noisy(np.full((SIDE, SIDE, 3), 128, np.uint8), 10, rng, grey=True)
    assert np.ptp(grey_noise, axis=2).max() == 0


def test_borders_of_any_colour_appear_only_with_strength() -> None:
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    darkest = [reframed(white, 1.0, np.random.default_rng(seed)).min() for seed in range(60)]
    assert 0 < np.mean(np.array(darkest) < 255) < 0.6  # a third of the borders have a colour of their own
