"""Scores compared with published figures, or with figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.metrics import UNKNOWN, score, wilson_interval

label_numbers = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [  # Newcombe 1998 (Statistics in Medicine 17), table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_the_wilson_interval_agrees_with_published_ones(
    successes: int, trials: int, interval: tuple[float, float]
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx(interval, abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_contains_the_share_and_mirrors_for_failures(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
    assert wilson_interval(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


def test_scores_of_a_small_example_worked_out_by_hand() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 0, 1, 1, 0, 1])
    scores = score(["a", "b", "c"], truth, predicted)
    details = scores.details()
    assert details["confusion"] == [[3, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert details["per_label"] == {
        "a": {"precision": 0.75, "recall": 0.75, "f1": 0.75, "images": 4},
        "b": {"precision": 0.3333, "recall": 0.5, "f1": 0.4, "images": 2},
        "c": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 1},
    }
    assert scores.summary() == {
        "images": 7,
        "accuracy": 0.5714,
        "accuracy_interval": [round(bound, 4) for bound in wilson_interval(4, 7)],
        "macro_f1": 0.3833,
    }


def test_a_label_that_the_model_lacks_counts_as_wrong() -> None:
    scores = score(["a", "b"], np.array([0, 0, 1]), np.array([0, UNKNOWN, UNKNOWN]))
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.details()["per_label"]["a"]["recall"] == 0.5


@given(label_numbers)
def test_every_image_is_counted_once_and_shares_stay_shares(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    scores = score(list("abcd"), truth, predicted)
    assert scores.confusion.sum() + (predicted == UNKNOWN).sum() == len(pairs)
    assert scores.accuracy == pytest.approx((truth == predicted).mean())
    assert 0 <= scores.macro_f1 <= 1


@given(st.lists(st.integers(0, 3), min_size=1))
def test_a_faultless_model_scores_one(numbers: list[int]) -> None:
    scores = score(list("abcd"), np.array(numbers), np.array(numbers))
    assert scores.accuracy == scores.macro_f1 == 1
