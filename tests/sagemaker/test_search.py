"""Ranges, strategies, early stopping and metrics by themselves."""

import math
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.search.median_rule import should_stop
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search
from seedbed.local_cloud.sagemaker.training.metrics import Metrics
from seedbed.local_cloud.sagemaker.tuning.limits import Limits


def continuous(name: str, low: str, high: str, scaling: str) -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


def random_values(item: dict[str, str], count: int = 300) -> list[float]:
    search = Search(read_ranges({"ContinuousParameterRanges": [item]}), "Random", maximize=True, seed=3)
    return [float(search.ask(number)["x"]) for number in range(count)]


def test_linear_scaling_spreads_evenly() -> None:
    values = random_values(continuous("x", "0", "10", "Linear"))
    assert 0.4 < sum(value < 5 for value in values) / len(values) < 0.6


def test_logarithmic_scaling_gives_each_order_of_magnitude_its_share() -> None:
    values = random_values(continuous("x", "0.0001", "1", "Logarithmic"))
    assert 0.4 < sum(value < 0.01 for value in values) / len(values) < 0.6


def test_reverse_logarithmic_scaling_crowds_towards_one() -> None:
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


def bowl(values: dict[str, str]) -> float:
    return -((float(values["x"]) - 0.7) ** 2) - (float(values["y"]) - 0.2) ** 2


PLANE = {"ContinuousParameterRanges": [continuous("x", "0", "1", "Linear"), continuous("y", "0", "1", "Linear")]}


def best_of(strategy: str, seed: int, trials: int = 25) -> float:
    search = Search(read_ranges(PLANE), strategy, maximize=True, seed=seed)
    best = -math.inf
    for number in range(trials):
        value = bowl(search.ask(number))
        search.tell(number, value)
        best = max(best, value)
    return best


def test_the_bayesian_strategy_learns_what_random_draws_dont() -> None:
    bayesian = sum(best_of("Bayesian", seed) for seed in range(8))
    random = sum(best_of("Random", seed) for seed in range(8))
    assert bayesian > random


def test_a_resumed_search_goes_on_as_the_first_would_have() -> None:
    first = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=5)
    asked: dict[int, dict[str, str]] = {}
    for number in range(6):
        asked[number] = first.ask(number)
        if number != 4:
            first.tell(number, bowl(asked[number]))
    second = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=5)
    for number in range(6):
        second.resume(number, asked[number])
        if number != 4:
            second.tell(number, bowl(asked[number]))
    assert second.ask(6) == first.ask(6)


def test_running_trials_keep_the_next_ones_away() -> None:
    search = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=2)
    asked = [search.ask(number) for number in range(6)]
    assert len({tuple(values.values()) for values in asked}) == 6


def test_a_prior_outside_the_ranges_is_left_out() -> None:
    search = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=2)
    assert search.add_prior({"x": "0.5", "y": "0.5", "static": "1"}, 0.3)
    assert not search.add_prior({"x": "1.5", "y": "0.5"}, 0.3)
    assert not search.add_prior({"x": "0.5"}, 0.3)


EARLIER = [[0.5, 0.7], [0.6, 0.8], [0.4, 0.6]]


@pytest.mark.parametrize(
    ("series", "earlier", "maximize", "stops"),
    [
        ([0.5, 0.59], EARLIER, True, True),  # the running averages at the second epoch: 0.6, 0.7, 0.5
        ([0.5, 0.61], EARLIER, True, False),
        ([0.5, 0.61], EARLIER, False, True),
        ([0.5, 0.59], EARLIER, False, False),
        ([0.0], EARLIER[:2], True, False),
        ([0.5, 0.5, 0.0], EARLIER, True, False),
        ([], EARLIER, True, False),
    ],
)
def test_the_median_rule(series: list[float], earlier: list[list[float]], maximize: bool, stops: bool) -> None:
    assert should_stop(series, earlier, maximize) is stops


def limits(**criteria: Any) -> Limits:
    return Limits.read({"ResourceLimits": {"MaxParallelTrainingJobs": 1}, "TuningJobCompletionCriteria": criteria}, 0)


def test_the_criteria_of_completion() -> None:
    patience = limits(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3})
    assert not patience.reached([0.5, 0.9, 0.1, 0.2], maximize=True)
    assert patience.reached([0.5, 0.9, 0.1, 0.2, None, 0.3], maximize=True)
    assert limits(TargetObjectiveMetricValue=0.2).reached([0.5, 0.19], maximize=False)
    assert not limits(TargetObjectiveMetricValue=0.2).reached([0.5, 0.21], maximize=False)
    assert limits().reached([None] * 5, maximize=True)
    assert not limits().reached([None] * 4, maximize=True)


def test_metrics_take_the_last_number_and_nothing_that_is_none() -> None:
    metrics = Metrics([{"Name": "a", "Regex": "a: ([0-9.naif]+)"}])
    for line in ("a: 1 a: 2", "a: nan", "a: inf", "a: 1.2.3", "b: 4"):
        metrics.read(line, when=9.0)
    assert metrics.series("a") == [2.0]
    assert metrics.final() == [{"MetricName": "a", "Value": 2.0, "Timestamp": 9.0}]
