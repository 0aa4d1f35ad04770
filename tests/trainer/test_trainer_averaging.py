"""Several answers become one, and which way of answering is taken is settled by the validation split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.averaging import averaged, of_views, softmax
from trainer.candidates import Candidate, choose
from trainer.views import turned

logits = arrays.arrays(np.float32, (2, 3, 4), elements=st.floats(-5, 5, width=32))


@given(logits)
def test_averaging_answers_is_averaging_logits(of_members: np.ndarray) -> None:
    expected = softmax(of_members.mean(axis=0))
    assert averaged([softmax(of_member) for of_member in of_members]) == pytest.approx(expected, abs=1e-5)


@given(logits)
def test_an_average_is_a_probability_even_where_members_rule_a_label_out(of_members: np.ndarray) -> None:
    certain = np.eye(4, dtype=np.float32)[of_members.argmax(axis=-1)]
    result = averaged(certain)
    assert np.isfinite(result).all()
    assert result.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_each_view_is_asked_once_in_the_order_of_the_views() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    answers = of_views(lambda seen: seen[:, 0, 0].astype(np.float32), images, 5)
    assert np.array_equal(answers, [turned(images, view)[:, 0, 0] for view in range(5)])


def candidate(title: str, accuracy: float, log_loss: float) -> Candidate:
    return Candidate(title, (), 1, 1.0, accuracy, log_loss)


def test_log_loss_chooses_then_simplicity() -> None:
    plain, sharp = candidate("plain", 0.9, 0.3), candidate("sharp", 0.9, 0.2)
    assert choose([plain, sharp]) is sharp
    assert choose([candidate("lucky", 0.91, 0.9), plain, sharp]) is sharp
    assert choose([plain, candidate("as good", 0.9, 0.3)]) is plain
