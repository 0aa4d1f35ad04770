"""Judging an image's label by the other images alone."""

import numpy as np
import pytest

from trainer.preparation import held_out
from trainer.preparation.held_out import held_out_probabilities
from trainer.types import Floats, Integers

LABELS, OF_EACH, WIDTH = 4, 60, 200


def clusters(count: int = LABELS, of_each: int = OF_EACH, spread: float = 1.0) -> tuple[Floats, Integers]:
    """Features of images that lie around a centre for each label, and their labels."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(count, WIDTH)) * 0.6
    labels = np.repeat(np.arange(count), of_each)
    features = centres[labels] + spread * rng.normal(size=(len(labels), WIDTH))
    return features.astype(np.float32), labels


def judged(features: Floats, labels: Integers, groups: Integers | None = None) -> Floats:
    groups = np.arange(len(labels)) if groups is None else groups
    return held_out_probabilities(lambda rows: features[rows], labels, groups)


def test_labels_that_features_tell_are_told() -> None:
    features, labels = clusters()
    found = judged(features, labels)
    assert found.shape == (len(labels), LABELS)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(labels)), abs=1e-4)
    assert (found.argmax(axis=1) == labels).mean() > 0.97


def test_an_image_has_no_say_in_its_own_label() -> None:
    features, labels = clusters()
    noise = np.random.default_rng(0).normal(size=features.shape).astype(np.float32)
    found = judged(noise, labels)
    assert (found.argmax(axis=1) == labels).mean() < 0.35  # chance is a quarter


def test_an_image_is_judged_as_one_fit_without_it_would() -> None:
    features, labels = clusters(of_each=10)
    at_once = held_out._held_out_scores(features, labels, np.arange(len(labels)), LABELS)
    kernel = held_out._kernel(features) + 1.0
    frequency = np.bincount(labels)
    ridge = np.diag(held_out.RIDGE * frequency[labels] / frequency.mean())
    for row in (0, 17, 39):
        others = np.delete(np.arange(len(labels)), row)
        weights = np.linalg.solve((kernel + ridge)[np.ix_(others, others)], np.eye(LABELS)[labels[others]])
        assert at_once[row] == pytest.approx(kernel[row, others] @ weights, abs=1e-3)


def test_near_duplicates_don_t_vouch_for_each_other() -> None:
    features, labels = clusters()
    features[1], labels[1] = features[0], 3  # of label 0, twice under 3
    labels[0] = 3
    alone, together = np.arange(len(labels)), np.maximum(np.arange(len(labels)) - 1, 0)
    assert judged(features, labels, alone)[0, 3] > 0.5
    assert judged(features, labels, together)[0].argmax() == 0


def test_many_images_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "ROWS_AT_ONCE", 64)
    features, labels = clusters()
    assert (judged(features, labels).argmax(axis=1) == labels).mean() > 0.9


@pytest.mark.parametrize(("count", "of_each"), [(2, 2), (2, 5), (300, 2)])
def test_few_images_and_many_labels_are_judged_too(count: int, of_each: int) -> None:
    features, labels = clusters(count, of_each)
    assert np.isfinite(judged(features, labels)).all()


def test_equal_images_are_judged_too() -> None:
    labels = np.repeat([0, 1], 20)
    found = judged(np.zeros((40, WIDTH), np.float32), labels, np.zeros(40, np.int64))
    assert found == pytest.approx(np.full((40, 2), 0.5), abs=0.01)
