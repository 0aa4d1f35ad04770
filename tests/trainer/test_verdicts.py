"""When an answer is sure, and what becomes of the probabilities of an image unlike those that were learnt from."""

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.answering.answer import answer_as
from trainer.answering.averages import average_probabilities, softmax
from trainer.answering.verdicts import Doubt, Thresholds, Verdicts, thresholds_in, verdicts

LABELS = ["Maize", "Charlock", "Cleavers"]
logits = arrays.arrays(np.float32, (2, 4, 3), elements=st.floats(-8, 8, width=32))
distances = arrays.arrays(np.float32, (4,), elements=st.floats(0, 100, width=32))


def outputs_of(confidence: float, distance: float | None = None) -> np.ndarray:
    """What a network gives for one image in two views, the second of which is far from everything."""
    rest = (1 - confidence) / 2
    probabilities = np.tile(np.array([confidence, rest, rest], np.float32), (2, 1, 1))
    if distance is None:
        return probabilities
    return np.concatenate([probabilities, np.array([distance, 1e3], np.float32)[:, None, None]], axis=2)


def doubt_of(confidence: float, distance: float | None, thresholds: Thresholds | None) -> Doubt:
    return Doubt(verdicts(outputs_of(confidence, distance), 3, thresholds).doubts[0])


@pytest.mark.parametrize(
    ("confidence", "distance", "thresholds", "doubt"),
    [
        (0.9, 0.99, Thresholds(0.8), Doubt.NONE),
        (0.7, 0.99, Thresholds(0.8), Doubt.CONFIDENCE),
        (0.9, 1.01, Thresholds(0.8), Doubt.UNLIKE),
        (0.7, 1.01, Thresholds(0.8), Doubt.UNLIKE),
        (0.9, float("nan"), Thresholds(0.8), Doubt.UNLIKE),
        (0.9, float("inf"), Thresholds(0.8), Doubt.UNLIKE),
        (1.0, 0.0, Thresholds(None), Doubt.CONFIDENCE),
        (0.9, None, Thresholds(0.8), Doubt.NONE),
        (0.9, None, None, Doubt.UNKNOWN),
    ],
)
def test_a_model_is_sure_of_confident_answers_on_images_that_are_near(
    confidence: float, distance: float | None, thresholds: Thresholds | None, doubt: Doubt
) -> None:
    assert doubt_of(confidence, distance, thresholds) is doubt


@given(logits, distances)
def test_the_probabilities_of_near_images_stay_as_they_are(of_views: np.ndarray, far: np.ndarray) -> None:
    probabilities = softmax(of_views)
    outputs = np.concatenate([probabilities, np.tile(far[None, :, None], (2, 1, 1))], axis=2)
    found, plain = verdicts(outputs, 3, Thresholds(0.5)).probabilities, average_probabilities(probabilities)
    assert found[far <= 1] == pytest.approx(plain[far <= 1], abs=1e-6)


@given(logits, distances)
def test_no_image_that_is_unlike_gets_a_high_probability(of_views: np.ndarray, far: np.ndarray) -> None:
    probabilities = softmax(of_views)
    outputs = np.concatenate([probabilities, np.tile(far[None, :, None], (2, 1, 1))], axis=2)
    found = verdicts(outputs, 3, Thresholds(0.5))
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert found.probabilities[far > 1].max(initial=0) <= 0.5 + 0.5 / 3 + 1e-6
    plain = average_probabilities(probabilities)
    kept = np.take_along_axis(found.probabilities, plain.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert kept == pytest.approx(found.probabilities.max(axis=1), abs=1e-6), "the likeliest label stays"


def test_the_farther_an_image_is_the_less_its_probabilities_differ() -> None:
    found = [verdicts(outputs_of(0.99, far), 3, None).probabilities.max() for far in (1.0, 1.01, 2.0, 5.0, np.inf)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(1 / 3)


@pytest.mark.parametrize("facts", [{}, {"thresholds": None}, {"thresholds": {"other": 1}}, {"thresholds": "0.5"}])
def test_a_model_without_thresholds_is_read_as_one(facts: dict[str, Any]) -> None:
    assert thresholds_in(facts) is None


@pytest.mark.parametrize("confidence", ["0.5", True, float("nan"), [0.5]])
def test_thresholds_that_are_not_numbers_are_none(confidence: Any) -> None:
    assert thresholds_in({"thresholds": {"confidence": confidence}}) is None


@pytest.mark.parametrize(("confidence", "expected"), [(0.83, 0.83), (1, 1.0), (None, None)])
def test_thresholds_are_read_from_model_json(confidence: float | None, expected: float | None) -> None:
    assert thresholds_in({"thresholds": {"confidence": confidence, "error_rate": 0.05}}) == Thresholds(expected)


def answers(*doubts: Doubt) -> Verdicts:
    probabilities = np.tile(np.array([0.5, 0.3, 0.2], np.float32), (len(doubts), 1))
    return Verdicts(probabilities, np.array([int(doubt) for doubt in doubts]))


def test_an_answer_in_json_says_whether_it_is_sure_and_why_not() -> None:
    found = answer_as("", LABELS, answers(Doubt.NONE, Doubt.CONFIDENCE, Doubt.UNLIKE, Doubt.UNKNOWN))
    told = [(of["sure"], of["reason"]) for of in json.loads(found.text)["predictions"]]
    assert told == [(True, None), (False, "confidence"), (False, "unlike"), (None, None)]


def test_an_answer_in_csv_says_it_in_words() -> None:
    found = answer_as("text/csv", LABELS, answers(Doubt.NONE, Doubt.CONFIDENCE, Doubt.UNLIKE, Doubt.UNKNOWN))
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert [row["sure"] for row in rows] == ["sure", "not sure", "not sure: unlike what the model learnt from", ""]


def test_answers_of_batches_are_joined_in_their_order() -> None:
    joined = Verdicts.joined([answers(Doubt.NONE), answers(Doubt.UNLIKE, Doubt.CONFIDENCE)])
    assert joined.doubts.tolist() == [Doubt.NONE, Doubt.UNLIKE, Doubt.CONFIDENCE]
    assert joined.probabilities.shape == (3, 3)
