"""Parameter ranges: their scaling, and values as text and back."""

import math

import pytest

from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search


def continuous(name: str, low: str, high: str, scaling: str) -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


def random_values(item: dict[str, str], count: int = 300) -> list[float]:
    search = Search(read_ranges({"ContinuousParameterRanges": [item]}), "Random", maximize=True, seed=3)
    return [float(search.ask(number)["x"]) for number in range(count)]


def test_linear_scaling_spreads_evenly() -> None:
    values = random_values(continuous("x", "0", "10", "Linear"))
    assert 0.4 < sum(value < 5 for value in values) / len(values) < 0.6


def test_logarithmic_scaling_draws_each_order_of_magnitude_equally() -> None:
    values = random_values(continuous("x", "0.0001", "1", "Logarithmic"))
    assert 0.4 < sum(value < 0.01 for value in values) / len(values) < 0.6


def test_reverse_logarithmic_scaling_draws_more_near_one() -> None:
    values = random_values(continuous("x", "0", "0.9999", "ReverseLogarithmic"))
    assert 0.4 < sum(value > 0.99 for value in values) / len(values) < 0.6
    assert all(0 <= value <= 0.9999 + 1e-12 for value in values)


@pytest.mark.parametrize(
    ("low", "high", "logarithmic"), [("0.001", "1", True), ("0.1", "1", False), ("0", "1000", False)]
)
def test_auto_scaling_takes_the_logarithm_of_wide_ranges(low: str, high: str, logarithmic: bool) -> None:
    (item,) = read_ranges({"ContinuousParameterRanges": [continuous("x", low, high, "Auto")]})
    assert getattr(item.distribution, "log") is logarithmic  # noqa: B009  only two distributions have it


def test_values_read_back_as_they_were_written() -> None:
    ranges = read_ranges(
        {
            "ContinuousParameterRanges": [
                continuous("a", "0.0001", "0.1", "Logarithmic"),
                continuous("b", "0", "0.999", "ReverseLogarithmic"),
            ],
            "IntegerParameterRanges": [{"Name": "c", "MinValue": "1", "MaxValue": "64"}],
            "CategoricalParameterRanges": [{"Name": "d", "Values": ["x", "y"]}],
        }
    )
    search = Search(ranges, "Random", maximize=True, seed=1)
    for number in range(50):
        for item, text in zip(ranges, search.ask(number).values(), strict=True):
            assert item.text(item.choice(text)) == pytest.approx(text) or math.isclose(
                float(item.text(item.choice(text))), float(text), rel_tol=1e-9
            )
