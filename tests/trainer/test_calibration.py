"""Whether a model is right as often as it claims, and the temperature that makes it so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.evaluation.calibration import HIGHEST, LOWEST, fit_temperature, log_loss, reliability, tempered
from trainer.inference.averaging import softmax
from trainer.types import Floats, Labels

LABELS = 5
answers = arrays.arrays(np.float32, (4, LABELS), elements=st.floats(-8, 8, width=32))


def honest(images: int, seed: int) -> tuple[Floats, Labels]:
    """Logits (n, 5) of a model that is right as often as it says, and the label numbers that make it so."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(images, LABELS)).astype(np.float32)
    truth = (softmax(logits).cumsum(axis=1) < rng.random((images, 1))).sum(axis=1)
    return logits, truth.clip(0, LABELS - 1).astype(np.int32)


def test_a_model_that_is_right_as_often_as_it_says_has_hardly_any_error() -> None:
    logits, truth = honest(20_000, seed=1)
    assert reliability(softmax(logits), truth).error < 0.02


@pytest.mark.parametrize("claim", [0.5, 2.0, 3.0])
def test_the_temperature_undoes_a_known_over_or_underconfidence(claim: float) -> None:
    logits, truth = honest(20_000, seed=2)
    claimed = softmax(claim * logits)
    temperature = fit_temperature(claimed, truth)
    assert temperature == pytest.approx(claim, rel=0.05)
    corrected = tempered(claimed, temperature)
    assert reliability(claimed, truth).error > 0.05
    assert reliability(corrected, truth).error < 0.02
    assert log_loss(corrected, truth) < log_loss(claimed, truth)


def test_a_model_that_is_always_right_on_few_images_is_not_told_to_be_certain() -> None:
    truth = np.arange(20, dtype=np.int32) % LABELS
    probabilities = softmax(3 * np.eye(LABELS, dtype=np.float32)[truth])
    temperature = fit_temperature(probabilities, truth)
    assert LOWEST * 2 < temperature < 1
    assert tempered(probabilities, temperature).max() < 0.99


def test_a_model_that_is_certain_and_wrong_gets_a_temperature_within_bounds() -> None:
    certain = np.eye(LABELS, dtype=np.float32)[[0, 1, 2, 3]]
    temperature = fit_temperature(certain, np.array([1, 2, 3, 4], np.int32))
    assert 1 < temperature <= HIGHEST
    assert np.isfinite(tempered(certain, temperature)).all()


@given(answers, st.floats(LOWEST, HIGHEST))
def test_no_temperature_changes_which_label_comes_first(logits: Floats, temperature: float) -> None:
    before = softmax(logits)
    after = tempered(before, temperature)
    first = after[np.arange(len(after)), before.argmax(axis=1)]
    assert first == pytest.approx(after.max(axis=1), rel=1e-5)
    assert after.sum(axis=1) == pytest.approx(np.ones(len(after)), abs=1e-5)


@given(answers)
def test_the_temperature_one_changes_nothing(logits: Floats) -> None:
    assert tempered(softmax(logits), 1.0) == pytest.approx(softmax(logits), abs=1e-5)


@given(
    arrays.arrays(np.float32, (30, LABELS), elements=st.floats(-8, 8, width=32)),
    arrays.arrays(np.int32, 30, elements=st.integers(0, LABELS - 1)),
)
def test_each_image_is_counted_at_the_step_of_its_confidence(logits: Floats, truth: Labels) -> None:
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


def test_the_error_is_the_gap_weighted_by_the_images() -> None:
    """Three of four right at 100 %, one of one at 60 %."""
    probabilities = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0.6, 0.4]], np.float32)
    truth = np.array([0, 0, 0, 1, 0], np.int32)
    assert reliability(probabilities, truth).error == pytest.approx((4 * 0.25 + 1 * 0.4) / 5)


def test_the_log_loss_stays_finite_where_the_truth_was_ruled_out() -> None:
    assert np.isfinite(log_loss(np.array([[1, 0]], np.float32), np.array([1], np.int32)))
