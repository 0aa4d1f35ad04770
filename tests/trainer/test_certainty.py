"""Thresholds and distances: fitted on some photographs, they hold on others."""

from pathlib import Path

import numpy as np
import pytest

from trainer.answering.averages import softmax
from trainer.answering.verdicts import Doubt, Verdicts, thresholds_in, verdicts
from trainer.evaluation.certainty import FALSE_ALARM_RATE, fit_certainty
from trainer.evaluation.distance import distance_network, fit_distance, held_out_distances
from trainer.evaluation.thresholds import enough, find_thresholds, most_errors, sureness
from trainer.evaluation.validation_outputs import Outputs
from trainer.keras_loader import keras
from trainer.types import Floats, Labels

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

LABELS, WIDTH = 3, 40


def photographs(seed: int, count: int, spread: float = 1.0) -> tuple[Floats, Labels]:
    """Features (count, 40) around a centre for each label, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, LABELS, count).astype(np.int32)
    centres = np.random.default_rng(7).normal(size=(LABELS, WIDTH)) * 3
    return (centres[labels] + spread * rng.normal(size=(count, WIDTH))).astype(np.float32), labels


def calibrated(seed: int, count: int) -> tuple[Floats, Labels]:
    """Probabilities (count, labels) that are right as often as they say, and the labels."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(size=(count, LABELS)).astype(np.float32) * 6)
    return probabilities, np.array(
        [rng.choice(LABELS, p=of / of.sum()) for of in probabilities.astype(float)], np.int32
    )


@pytest.mark.parametrize(("wrong", "images", "rate"), [(0, 59, 0.0495), (1, 10, 0.394), (10, 10, 1.0)])
def test_the_upper_limit_of_an_error_rate_is_clopper_and_pearsons(wrong: int, images: int, rate: float) -> None:
    """By the tables of the exact binomial limit."""
    assert most_errors(np.array([float(wrong)]), np.array([float(images)]))[0] == pytest.approx(rate, abs=5e-4)


@pytest.mark.parametrize(
    ("images", "error_rate", "is_enough"), [(58, 0.05, False), (59, 0.05, True), (298, 0.01, False)]
)
def test_few_photographs_can_show_no_error_rate(images: int, error_rate: float, is_enough: bool) -> None:
    assert enough(images, error_rate) is is_enough


@pytest.mark.parametrize("error_rate", [0.02, 0.05, 0.2])
def test_answers_that_are_sure_are_wrong_as_rarely_as_asked_for_on_other_photographs(error_rate: float) -> None:
    held, sure = [], []
    for seed in range(20):
        probabilities, truth = calibrated(seed, 600)
        right = (probabilities.argmax(axis=1) == truth).astype(float)
        found = find_thresholds(probabilities.max(axis=1).astype(float), right, np.zeros(600), error_rate)
        others, their_truth = calibrated(seed + 100, 5000)
        doubts = verdicts(others[None], LABELS, found).doubts
        figures = sureness(Verdicts(others, doubts), their_truth)
        held.append((figures.wrong or 0) <= error_rate)
        sure.append(figures.sure)
    assert np.mean(held) >= 0.9
    assert np.median(sure) > 0.3


def test_a_model_that_guesses_is_never_sure() -> None:
    rng = np.random.default_rng(0)
    right = (rng.random(400) < 0.3).astype(float)
    assert find_thresholds(rng.random(400), right, np.zeros(400), 0.05).confidence is None


def test_a_threshold_takes_all_photographs_of_its_confidence_or_none() -> None:
    confidence = np.repeat([0.9, 0.8], 100)
    right = np.concatenate([np.ones(100), np.ones(50), np.zeros(50)])
    assert find_thresholds(confidence, right, np.zeros(200), 0.05).confidence == 0.9


def test_the_error_rate_holds_for_changed_photographs_alone() -> None:
    """Of those between 0.8 and 0.9 the changed ones are wrong too often; among all they are few."""
    confidence = np.repeat([0.9, 0.8], [600, 200])
    changed = np.concatenate([np.zeros(500), np.ones(100), np.zeros(100), np.ones(100)])
    right = np.concatenate([np.ones(790), np.zeros(10)])
    assert find_thresholds(confidence, right, np.zeros(800), 0.04).confidence == 0.8
    assert find_thresholds(confidence, right, changed, 0.04).confidence == 0.9


def test_distances_on_other_photographs_are_above_the_limit_as_often_as_on_those_held_out() -> None:
    features, labels = photographs(1, 600)
    limit = np.quantile(held_out_distances(features, labels, 300), 1 - FALSE_ALARM_RATE)
    others, _ = photographs(2, 5000)
    alarms = (fit_distance(features, labels).of(others) > limit).mean()
    assert alarms == pytest.approx(FALSE_ALARM_RATE, abs=0.015)


def test_what_belongs_to_no_label_is_farther_than_what_does() -> None:
    features, labels = photographs(1, 600)
    found = fit_distance(features, labels)
    elsewhere = np.random.default_rng(9).normal(size=(50, WIDTH)).astype(np.float32) * 3
    assert found.of(elsewhere).min() > found.of(photographs(2, 500)[0]).max()


def test_a_photograph_is_held_out_in_all_its_versions() -> None:
    """A copy among those that the distance is fitted on would make a photograph that is like no other look near."""
    features, labels = photographs(1, 60)
    features[0] += 100
    both = np.concatenate([features, features])
    distances = held_out_distances(both, np.tile(labels, 2), 60)
    assert distances[0] == distances[60] == distances.max()
    assert distances[0] > 3 * np.median(distances)


def test_the_network_measures_the_same_distance_after_saving(tmp_path: Path) -> None:
    features, labels = photographs(1, 300)
    found = fit_distance(features, labels)
    distance_network(found, limit=4.0).save(tmp_path / "distance.keras")
    loaded = keras.saving.load_model(tmp_path / "distance.keras", safe_mode=True)
    assert loaded.predict_on_batch(features)[:, 0] == pytest.approx(found.of(features) / 4, rel=1e-3)


def outputs_of(count: int, seed: int = 1) -> Outputs:
    features, labels = photographs(seed, count)
    noise = np.random.default_rng(seed).normal(size=(2 * count, LABELS)) * 2
    logits = 4 * np.eye(LABELS)[np.tile(labels, 2)] + noise
    return Outputs(softmax(logits.astype(np.float32)), np.tile(features, (2, 1)), np.tile(labels, 2), count)


def test_the_certainty_of_a_model_is_a_temperature_thresholds_and_a_distance() -> None:
    certainty = fit_certainty(outputs_of(200), 0.05)
    assert certainty.distance is not None
    assert certainty.distance.output_shape == (None, 1)
    thresholds = certainty.facts["thresholds"]
    assert (thresholds["error_rate"], thresholds["false_alarm_rate"]) == (0.05, FALSE_ALARM_RATE)
    found = thresholds_in(certainty.facts)
    assert found is not None
    assert found.confidence is not None
    assert 1 / LABELS < found.confidence < 1


def test_a_lower_error_rate_needs_a_higher_confidence() -> None:
    strict, usual = (fit_certainty(outputs_of(400), rate).facts["thresholds"]["confidence"] for rate in (0.02, 0.1))
    assert strict > usual


def test_too_few_photographs_give_a_temperature_alone() -> None:
    certainty = fit_certainty(outputs_of(30), 0.05)
    assert (certainty.facts, certainty.distance) == ({}, None)


def test_sureness_counts_what_is_sure_what_of_it_is_wrong_and_what_is_unlike() -> None:
    probabilities = np.eye(4, 3, dtype=np.float32)
    doubts = np.array([Doubt.NONE, Doubt.NONE, Doubt.CONFIDENCE, Doubt.UNLIKE])
    figures = sureness(Verdicts(probabilities, doubts), np.array([0, 0, 2, 1], np.int32))
    assert figures.summary() == {"images": 4, "sure": 0.5, "wrong": 0.5, "unlike": 0.25}
