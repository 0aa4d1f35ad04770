"""Two models on the same images: the difference, its interval, and how often chance alone makes one."""

import math
from itertools import product

import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from job_manager.domain.predictions.paired import Paired, paired, wilson_interval
from job_manager.domain.predictions.prediction import Prediction, by_interest, confusion, same_images


def predicted(file: str, as_label: str, confidence: float = 0.9, content: str = "1") -> Prediction:
    """A prediction for an image whose label is its folder."""
    return Prediction(file, file.split("/", maxsplit=1)[0], as_label, confidence, content)


def test_the_p_value_is_that_of_mcnemars_exact_test() -> None:
    for first, second in product(range(8), repeat=2):
        expected = binomtest(first, first + second).pvalue if first + second else 1.0
        assert Paired(5, first, second, 1).p_value == pytest.approx(expected)


def test_many_differing_images_are_no_harder() -> None:
    assert Paired(0, 7500, 7500, 0).p_value == 1.0
    assert Paired(0, 0, 15000, 0).p_value == 0.0
    assert 0 < Paired(0, 480, 520, 0).p_value < 1


def test_the_interval_of_a_difference_holds_it_and_narrows_with_more_images() -> None:
    widths = []
    for times in (1, 4, 16):
        scores = Paired(70 * times, 6 * times, 14 * times, 10 * times)
        low, high = scores.interval
        assert low < scores.difference < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.05)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.05)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Over all outcomes for 40 images of which a tenth are right for the first alone, and a fifth for the second."""
    chances, images, covered = (0.1, 0.2, 0.7), 40, 0.0
    for first in range(images + 1):
        for second in range(images - first + 1):
            rest = images - first - second
            ways = math.comb(images, first) * math.comb(images - first, second)
            low, high = Paired(rest, first, second, 0).interval
            if low <= chances[1] - chances[0] <= high:
                covered += ways * chances[0] ** first * chances[1] ** second * chances[2] ** rest
    assert 0.93 <= covered <= 0.98


@pytest.mark.parametrize("equal", [Paired(9, 0, 0, 1), Paired(0, 0, 0, 3)])
def test_models_that_answer_alike_do_not_differ(equal: Paired) -> None:
    assert (equal.difference, equal.p_value) == (0, 1)
    assert equal.interval[0] < 0 < equal.interval[1]


def test_an_accuracys_interval_is_wilsons() -> None:
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson_interval(0, 5)[0] == 0
    assert wilson_interval(5, 5)[1] == pytest.approx(1)


def test_an_image_is_the_same_if_its_name_and_content_are() -> None:
    first = [predicted("a/1.png", "a"), predicted("a/2.png", "b"), predicted("b/1.png", "b", content="old")]
    second = [predicted("b/1.png", "b", content="new"), predicted("a/2.png", "a"), predicted("c/9.png", "a")]

    pairs = same_images(first, second)

    assert [one.file for one, _ in pairs] == ["a/2.png"]
    assert paired(pairs) == Paired(both=0, only_first=0, only_second=1, neither=0)


def test_mistakes_come_before_what_is_right_and_the_least_sure_right_ones_first() -> None:
    found = by_interest(
        [
            predicted("a/1.png", "a", 0.9),
            predicted("a/2.png", "a", 0.4),
            predicted("a/3.png", "b", 0.5),
            predicted("a/4.png", "b", 0.8),
        ]
    )

    assert [prediction.file for prediction in found] == ["a/4.png", "a/3.png", "a/2.png", "a/1.png"]


def test_a_confusion_matrix_has_a_row_for_each_label() -> None:
    found = [predicted("a/1.png", "a"), predicted("a/2.png", "b"), predicted("b/1.png", "elsewhere")]

    assert confusion(found, ["a", "b"]) == ((1, 1), (0, 0))
