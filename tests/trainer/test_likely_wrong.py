"""Which labels are listed as likely wrong."""

import numpy as np

from tests.trainer.test_held_out import clusters, judged
from trainer.preparation.likely_wrong import LEAST_CONFIDENCE, MAX_LISTED, Suspect, likely_wrong
from trainer.types import Floats


def sure(*labels: int, count: int = 2, confidence: float = 0.98) -> Floats:
    """The probabilities of a classifier that is sure of these labels."""
    found = np.full((len(labels), count), (1 - confidence) / (count - 1), np.float32)
    found[np.arange(len(labels)), labels] = confidence
    return found


def test_an_image_that_all_others_contradict_is_listed_with_the_better_label() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    probabilities = sure(*[0] * 9, 1, *[1] * 10)
    probabilities[9] = (0.01, 0.99)
    assert likely_wrong(probabilities, labels) == [Suspect(9, 1, float(np.float32(0.99)))]


def test_labels_that_are_right_are_not_listed() -> None:
    assert likely_wrong(sure(*[0] * 10, *[1] * 10), np.array([0] * 10 + [1] * 10)) == []


def test_an_unsure_classifier_lists_nothing() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    probabilities = sure(*[0] * 9, 1, *[1] * 10, confidence=LEAST_CONFIDENCE + 0.1)
    assert likely_wrong(probabilities, labels) == []


def test_a_label_that_is_never_recognised_is_not_judged() -> None:
    labels = np.array([0] * 40 + [1] * 5)
    assert likely_wrong(sure(*[0] * 45), labels) == []


def test_a_label_without_images_is_passed_over() -> None:
    labels = np.array([0] * 10 + [2] * 10)
    assert likely_wrong(sure(*[0] * 9, 2, *[2] * 10, count=4), labels)[0].suggested == 2


def test_exchanged_labels_are_found_and_few_others() -> None:
    features, labels = clusters(of_each=150)
    rng = np.random.default_rng(5)
    wrong = rng.choice(len(labels), 30, replace=False)
    given = labels.copy()
    given[wrong] = (labels[wrong] + rng.integers(1, 4, 30)) % 4
    found = likely_wrong(judged(features, given), given)
    rows = {suspect.row for suspect in found}
    assert len(rows & set(wrong.tolist())) >= 24
    assert len(rows - set(wrong.tolist())) <= 5
    assert all(suspect.suggested == labels[suspect.row] for suspect in found if suspect.row in wrong)


def test_at_most_a_thousand_are_listed_the_most_certain_first() -> None:
    labels = np.array([0] * 4000 + [1] * 4000)
    probabilities = sure(*[1] * 1900, *[0] * 2100, *[1] * 4000)
    probabilities[7] = (0.001, 0.999)
    found = likely_wrong(probabilities, labels)
    assert len(found) == MAX_LISTED
    assert found[0].row == 7
