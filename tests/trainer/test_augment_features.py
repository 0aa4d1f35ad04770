"""Augmentation of features in training batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.pack import FeatureSplit
from trainer.training.augment_features import batches
from trainer.training.hyperparameters import Hyperparameters
from trainer.views import MAX_VIEWS, apply_view


def split(images: int, views: int) -> FeatureSplit:
    """Image i in view v has the features [i, v], and the label i % 3."""
    number, view = np.meshgrid(np.arange(images), np.arange(views), indexing="ij")
    features = np.stack([number, view], axis=-1).astype(np.float16)
    return FeatureSplit(features, (np.arange(images) % 3).astype(np.int32))


def epoch(images: int, views: int, strength: float, batch_size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    chosen = Hyperparameters(augmentation=strength, batch_size=batch_size)
    parts = list(batches(split(images, views), np.arange(images), chosen, 3, np.random.default_rng(5)))
    assert all(len(part.inputs) <= batch_size for part in parts)
    return np.concatenate([part.inputs for part in parts]), np.concatenate([part.targets for part in parts])


@given(images=st.integers(1, 50), views=st.integers(1, 8), batch_size=st.integers(1, 60))
@settings(max_examples=40)
def test_each_image_appears_once_and_unchanged_without_augmentation(images: int, views: int, batch_size: int) -> None:
    features, targets = epoch(images, views, strength=0.0, batch_size=batch_size)
    assert sorted(features[:, 0]) == list(range(images))
    assert not features[:, 1].any()
    assert (targets.argmax(axis=1) == features[:, 0] % 3).all()


@given(images=st.integers(1, 50), strength=st.floats(0, 1))
@settings(max_examples=40)
def test_mixed_targets_stay_probabilities(images: int, strength: float) -> None:
    features, targets = epoch(images, 4, strength)
    assert features.dtype == targets.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(np.ones(images), abs=1e-5)
    assert (targets >= 0).all()


def test_full_strength_shows_all_views_and_keeps_most_of_each_image() -> None:
    features, targets = epoch(400, 4, strength=1.0)
    unmixed = features[np.isclose(targets.max(axis=1), 1)]
    assert set(unmixed[:, 1]) >= {0, 1, 2, 3}
    assert (targets.max(axis=1) >= 0.5).all()


@pytest.mark.parametrize(("weighting", "ratio"), [(0.0, 1.0), (0.5, 2**0.5), (1.0, 2.0)])
def test_class_weighting_favours_rare_labels_with_a_mean_of_one(weighting: float, ratio: float) -> None:
    labels = np.array([0] * 10 + [1] * 20, np.int32)
    rare_and_common = FeatureSplit(np.zeros((30, 1, 2), np.float16), labels)
    chosen = Hyperparameters(augmentation=0.0, batch_size=30, class_weighting=weighting)
    (batch,) = batches(rare_and_common, np.arange(30), chosen, 2, np.random.default_rng(5))
    of_label = {label: set(batch.weights[batch.targets[:, label] == 1]) for label in (0, 1)}
    (rare,), (common,) = of_label.values()
    assert rare / common == pytest.approx(ratio, rel=1e-5)
    assert batch.weights.mean() == pytest.approx(1, rel=1e-5)


def test_the_seed_repeats_an_epoch() -> None:
    assert all(np.array_equal(a, b) for a, b in zip(epoch(40, 4, 0.7), epoch(40, 4, 0.7), strict=True))


def test_the_eight_views_differ_and_the_first_is_the_original() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), np.uint8)
    views = [apply_view(images, view) for view in range(MAX_VIEWS)]
    assert np.array_equal(views[0], images)
    assert len({view.tobytes() for view in views}) == MAX_VIEWS
    assert all(np.array_equal(np.sort(view, axis=None), np.sort(images, axis=None)) for view in views)
