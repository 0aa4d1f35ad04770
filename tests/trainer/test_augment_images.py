"""Augmentation of training photographs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.training.augment_images import augment, cutmix

SIDE = 24


def photographs(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


@given(count=st.integers(1, 6), strength=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_augmented_photographs_stay_photographs(count: int, strength: float, seed: int) -> None:
    result = augment(photographs(count), strength, np.random.default_rng(seed))
    assert result.shape == (count, SIDE, SIDE, 3)
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 255


def test_strength_zero_only_turns_and_mirrors_a_photograph() -> None:
    disc = np.zeros((SIDE, SIDE, 3), np.uint8)
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    disc[rows**2 + columns**2 < 64] = (40, 160, 60)
    turned = augment(np.stack([disc] * 8), 0.0, np.random.default_rng(1))
    assert np.abs(turned - disc).mean() < 4  # except for its edge, a disc looks the same in any orientation
    middle = slice(SIDE // 2 - 2, SIDE // 2 + 2)
    assert np.array_equal(turned[:, middle, middle], np.stack([disc] * 8)[:, middle, middle])


def test_full_strength_changes_colour_size_and_place() -> None:
    grey = np.full((32, SIDE, SIDE, 3), 128, np.uint8)
    means = augment(grey, 1.0, np.random.default_rng(2)).mean(axis=(1, 2))
    assert means.std(axis=0).min() > 5
    assert np.ptp(means, axis=1).max() > 5


def test_the_seed_repeats_the_augmentation() -> None:
    first, second = (augment(photographs(4), 0.7, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], augment(photographs(4), 0.7, np.random.default_rng(4))[0])


@given(seed=st.integers(0, 500))
@settings(max_examples=50)
def test_cutmix_mixes_targets_in_proportion_to_the_pixels(seed: int) -> None:
    black_and_white = np.stack([np.full((SIDE, SIDE, 3), value, np.float32) for value in (0, 255)])
    images, targets = cutmix(black_and_white, np.eye(2, dtype=np.float32), np.random.default_rng(seed))
    assert targets[:, 1] == pytest.approx(images.mean(axis=(1, 2, 3)) / 255, abs=1e-6)
    assert targets.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)
