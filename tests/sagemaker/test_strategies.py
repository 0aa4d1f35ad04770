"""The search strategies: which hyperparameters they choose, and how they resume."""

import math
from itertools import product
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

Ranges = dict[str, Any]
COLOURS, SIZES = ["red", "blue"], ["s", "m", "l"]
CHOICES: Ranges = {
    "CategoricalParameterRanges": [{"Name": "colour", "Values": COLOURS}, {"Name": "size", "Values": SIZES}]
}
MIXED: Ranges = {**CHOICES, "IntegerParameterRanges": [{"Name": "n", "MinValue": "-2", "MaxValue": "2"}]}
PLANE: Ranges = {
    "ContinuousParameterRanges": [
        {"Name": name, "MinValue": "0", "MaxValue": "1", "ScalingType": "Linear"} for name in ("x", "y")
    ]
}
SMOOTH: Ranges = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}


def search(strategy: str, ranges: Ranges, seed: int = 4) -> Search:
    return Search(read_ranges(ranges), strategy, maximize=True, seed=seed)


def test_grid_tries_every_combination_once() -> None:
    grid = search("Grid", CHOICES)
    found: list[dict[str, str]] = []
    while not grid.exhausted:
        found.append(grid.ask(len(found) + 1))
        grid.tell(len(found), 0.5)
    assert [(values["colour"], values["size"]) for values in found] == list(product(COLOURS, SIZES))


def test_a_resumed_grid_skips_tried_combinations() -> None:
    first = search("Grid", CHOICES)
    tried = {number: first.ask(number) for number in (1, 2)}
    second = search("Grid", CHOICES)
    for number, values in tried.items():
        second.resume(number, values)
    assert [second.ask(number) for number in range(3, 7)] == [first.ask(number) for number in range(3, 7)]
    assert second.exhausted


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_nothing_is_tried_twice_before_everything_was_tried_once(strategy: str) -> None:
    small = search(strategy, MIXED)
    tried = []
    for number in range(1, 31):
        assert not small.exhausted
        tried.append(tuple(small.ask(number).values()))
        small.tell(number, float(number % 7))
    assert len(set(tried)) == 30
    assert small.exhausted
    assert tuple(small.ask(31).values()) in tried


@pytest.mark.parametrize("strategy", ["Random", "Hyperband"])
@pytest.mark.parametrize("ranges", [MIXED, SMOOTH])
def test_the_seed_determines_every_draw_whatever_the_results(strategy: str, ranges: Ranges) -> None:
    told, untold = search(strategy, ranges), search(strategy, ranges)
    for number in range(1, 12):
        assert told.ask(number) == untold.ask(number)
        told.tell(number, -float(number) if number % 3 else None)
    assert search(strategy, ranges, seed=5).ask(1) != search(strategy, ranges, seed=6).ask(1)


def test_a_continuous_search_is_never_exhausted() -> None:
    smooth = search("Random", SMOOTH)
    smooth.ask(1)
    assert not smooth.exhausted
    fixed = search("Random", {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "1"}]})
    assert fixed.ask(1) == {"x": "1.0"}
    assert fixed.exhausted


def bowl(values: dict[str, str]) -> float:
    return -((float(values["x"]) - 0.7) ** 2) - (float(values["y"]) - 0.2) ** 2


def best_of(strategy: str, seed: int, trials: int = 25) -> float:
    search = Search(read_ranges(PLANE), strategy, maximize=True, seed=seed)
    best = -math.inf
    for number in range(trials):
        value = bowl(search.ask(number))
        search.tell(number, value)
        best = max(best, value)
    return best


def test_the_bayesian_strategy_beats_random_draws() -> None:
    bayesian = sum(best_of("Bayesian", seed) for seed in range(8))
    random = sum(best_of("Random", seed) for seed in range(8))
    assert bayesian > random


def test_a_resumed_search_continues_like_the_first() -> None:
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


def test_parallel_trials_differ() -> None:
    search = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=2)
    asked = [search.ask(number) for number in range(6)]
    assert len({tuple(values.values()) for values in asked}) == 6


def test_a_prior_outside_the_ranges_is_ignored() -> None:
    search = Search(read_ranges(PLANE), "Bayesian", maximize=True, seed=2)
    assert search.add_prior({"x": "0.5", "y": "0.5", "static": "1"}, 0.3)
    assert not search.add_prior({"x": "1.5", "y": "0.5"}, 0.3)
    assert not search.add_prior({"x": "0.5"}, 0.3)
