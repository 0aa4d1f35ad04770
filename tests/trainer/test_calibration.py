"""Calibration errors, and the temperature that corrects them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.answering.averages import softmax
from trainer.evaluation.calibration import HIGHEST, LOWEST, apply_temperature, fit_temperature, log_loss, reliability
from trainer.types import Floats, Labels

LABELS = 5
answers = arrays.arrays(np.float32, (4, LABELS), elements=st.floats(-8, 8, width=32))


def calibrated(images: int, seed: int) -> tuple[Floats, Labels]:
    """Logits (n, 5) of a calibrated model, and label numbers drawn from its probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(images, LABELS)).astype(np.float32)
    truth = (softmax(logits).cumsum(axis=1) < rng.random((images, 1))).sum(axis=1)
    return logits, truth.clip(0, LABELS - 1).astype(np.int32)


def test_a_calibrated_model_has_hardly_any_calibration_error() -> None:
    logits, truth = calibrated(20_000, seed=1)
    assert reliability(softmax(logits), truth).error < 0.02


@pytest.mark.parametrize("claim", [0.5, 2.0, 3.0])
def test_the_temperature_corrects_a_known_over_or_underconfidence(claim: float) -> None:
    logits, truth = calibrated(20_000, seed=2)
    claimed = softmax(claim * logits)
    temperature = fit_temperature(claimed, truth)
    assert temperature == pytest.approx(claim, rel=0.05)
    corrected = apply_temperature(claimed, temperature)
    assert reliability(claimed, truth).error > 0.05
    assert reliability(corrected, truth).error < 0.02
    assert log_loss(corrected, truth) < log_loss(claimed, truth)


def test_a_model_without_mistakes_on_few_images_does_not_become_certain() -> None:
    truth = np.arange(20, dtype=np.int32) % LABELS
    probabilities = softmax(3 * np.eye(LABELS, dtype=np.float32)[truth])
    temperature = fit_temperature(probabilities, truth)
    assert LOWEST * 2 < temperature < 1
    assert apply_temperature(probabilities, temperature).max() < 0.99


def test_a_certain_but_wrong_model_gets_a_temperature_within_bounds() -> None:
    certain = np.eye(LABELS, dtype=np.float32)[[0, 1, 2, 3]]
    temperature = fit_temperature(certain, np.array([1, 2, 3, 4], np.int32))
    assert 1 < temperature <= HIGHEST
    assert np.isfinite(apply_temperature(certain, temperature)).all()


@given(answers, st.floats(LOWEST, HIGHEST))
def test_no_temperature_changes_which_label_comes_first(logits: Floats, temperature: float) -> None:
    before = softmax(logits)
    after = apply_temperature(before, temperature)
    first = after[np.arange(len(after)), before.argmax(axis=1)]
    assert first == pytest.approx(after.max(axis=1), rel=1e-5)
    assert after.sum(axis=1) == pytest.approx(np.ones(len(after)), abs=1e-5)


@given(answers)
def test_a_temperature_of_one_changes_nothing(logits: Floats) -> None:
    assert apply_temperature(softmax(logits), 1.0) == pytest.approx(softmax(logits), abs=1e-5)


@given(
    arrays.arrays(np.float32, (30, LABELS), elements=st.floats(-8, 8, width=32)),
    arrays.arrays(np.int32, 30, elements=st.integers(0, LABELS - 1)),
)
def test_each_image_is_counted_in_the_bin_of_its_confidence(logits: Floats, truth: Labels) -> None:
    probabilities = softmax(logits)
    found = reliability(probabilities, truth)
    filled = found.images > 0
    assert found.images.sum() == len(truth)
    assert (found.images[filled] @ found.accuracy[filled]) == pytest.approx(
        (probabilities.argmax(axis=1) == truth).sum()
    )
    assert (found.images[filled] @ found.confidence[filled]) == pytest.approx(probabilities.max(axis=1).sum(), rel=1e-5)
    assert np.isnan(found.accuracy[~filled]).all()
    steps = np.arange(len(found.images))[filled] / len(found.images)
    assert (found.confidence[filled] >= steps - 1e-6).all()
    assert (found.confidence[filled] <= steps + 1 / len(found.images) + 1e-6).all()
    assert 0 <= found.error <= 1


def test_the_calibration_error_is_the_gap_weighted_by_images() -> None:
    """Three of four are right with 100% confidence, and one of one with 60%."""
    probabilities = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0.6, 0.4]], np.float32)
    truth = np.array([0, 0, 0, 1, 0], np.int32)
    assert reliability(probabilities, truth).error == pytest.approx((4 * 0.25 + 1 * 0.4) / 5)


def test_the_log_loss_is_finite_for_a_true_label_of_probability_zero() -> None:
    assert np.isfinite(log_loss(np.array([[1, 0]], np.float32), np.array([1], np.int32)))
