"""Grid, Random and Hyperband by themselves, and when a search has converged."""

import math
import random
from itertools import product
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.search.hyperband import Hyperband, resource_bounds
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search
from seedbed.local_cloud.sagemaker.tuning.limits import CONVERGED_AFTER, Limits, convergence, not_improving

Ranges = dict[str, Any]
COLOURS, SIZES = ["red", "blue"], ["s", "m", "l"]
CHOICES: Ranges = {
    "CategoricalParameterRanges": [{"Name": "colour", "Values": COLOURS}, {"Name": "size", "Values": SIZES}]
}
MIXED: Ranges = {**CHOICES, "IntegerParameterRanges": [{"Name": "n", "MinValue": "-2", "MaxValue": "2"}]}
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


def test_a_resumed_grid_leaves_out_what_was_tried() -> None:
    first = search("Grid", CHOICES)
    tried = {number: first.ask(number) for number in (1, 2)}
    second = search("Grid", CHOICES)
    for number, values in tried.items():
        second.resume(number, values)
    assert [second.ask(number) for number in range(3, 7)] == [first.ask(number) for number in range(3, 7)]
    assert second.exhausted


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_nothing_is_tried_twice_before_everything_was_once(strategy: str) -> None:
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
def test_a_seed_settles_every_draw_whatever_the_results(strategy: str, ranges: Ranges) -> None:
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


def test_rungs_begin_at_the_least_and_stay_below_the_most() -> None:
    assert Hyperband(1, 81, maximize=True).rungs == [1, 4, 16, 64]
    assert Hyperband(5, 20, maximize=True).rungs == [5]
    assert Hyperband(7, 7, maximize=True).rungs == []


@pytest.mark.parametrize("maximize", [True, False])
def test_a_rung_lets_the_best_quarter_of_those_that_came_to_it_go_on(maximize: bool) -> None:
    band = Hyperband(1, 9, maximize)
    sign = 1 if maximize else -1
    values = [0.5, 0.4, 0.6, 0.3, 0.7, 0.65, 0.2, 0.68]
    stopped = [band.should_stop(number, [sign * value]) for number, value in enumerate(values, 1)]
    assert stopped == [False, True, False, True, False, True, True, False]


def test_between_rungs_nothing_is_judged_and_above_the_most_everything_ends() -> None:
    band = Hyperband(1, 9, maximize=True)
    for reports in range(1, 10):
        assert not band.should_stop(1, [0.9] * reports)
    assert not band.should_stop(2, [0.1, 0.1])
    assert band.should_stop(2, [0.1] * 4)
    assert band.should_stop(1, [0.9] * 10)


def test_a_resumed_hyperband_knows_those_that_had_ended() -> None:
    first, second = Hyperband(1, 9, maximize=True), Hyperband(1, 9, maximize=True)
    for number, value in ((1, 0.5), (2, 0.6)):
        first.should_stop(number, [value])
        second.ended(number, [value])
    assert first.should_stop(3, [0.55]) is second.should_stop(3, [0.55]) is True


def test_hyperband_finds_nearly_the_best_with_a_third_of_the_epochs() -> None:
    draw = random.Random(3)
    epochs, used, regret = 27, 0, 0.0
    for _ in range(20):
        curves = []
        for _ in range(40):
            height, speed = draw.random(), draw.uniform(0.05, 0.15)
            curves.append([height * (1 - math.exp(-speed * epoch)) for epoch in range(1, epochs + 1)])
        band = Hyperband(1, epochs, maximize=True)
        ends = [length_of(band, number, curve) for number, curve in enumerate(curves, 1)]
        used += sum(ends)
        regret += max(curve[-1] for curve in curves) - max(
            curve[end - 1] for curve, end in zip(curves, ends, strict=True)
        )
    assert used < 20 * 40 * epochs / 3
    assert regret / 20 < 0.03


def length_of(band: Hyperband, number: int, curve: list[float]) -> int:
    """After how many reports the job ends."""
    return next((end for end in range(1, len(curve)) if band.should_stop(number, curve[:end])), len(curve))


@pytest.mark.parametrize(
    ("given", "static", "bounds"),
    [
        ({"MaxResource": 30}, {"epochs": "9"}, (1, 30)),
        ({"MinResource": 3}, {"epochs": "9"}, (3, 9)),
        ({}, {"num_epochs": "4", "n-epochs": "5"}, (1, 5)),
    ],
)
def test_the_resource_is_given_or_told_by_the_epochs(
    given: dict[str, int], static: dict[str, str], bounds: tuple[int, int]
) -> None:
    assert resource_bounds({"StrategyConfig": {"HyperbandStrategyConfig": given}}, static) == bounds


@pytest.mark.parametrize(
    ("objectives", "maximize", "count"),
    [
        ([], True, 0),
        ([0.5, 0.6], True, 0),
        ([0.5, 0.502, 0.4], True, 2),
        ([0.5, 0.502, 0.504, 0.505], True, 0),  # small steps add up
        ([0.5, 0.4], False, 0),
        ([0.5, 0.499, 0.6], False, 2),
        ([-2.0, -1.99, -1.9], True, 0),
        ([0.0, 0.0, 0.001], True, 0),  # from nothing everything is an improvement
    ],
)
def test_an_improvement_is_one_of_a_hundredth(objectives: list[float], maximize: bool, count: int) -> None:
    assert not_improving(objectives, maximize) == count


def test_a_search_has_converged_when_improvements_have_become_unlikely() -> None:
    stuck = [0.5, 0.9, *[0.9] * CONVERGED_AFTER]
    assert convergence(stuck, maximize=True) == len(stuck) - 1
    assert convergence(stuck[:-1], maximize=True) is None
    assert convergence([*stuck, 0.99], maximize=True) == len(stuck) - 1, "once converged, it has"
    assert 0.9**CONVERGED_AFTER < 0.05 <= 0.9 ** (CONVERGED_AFTER - 1)


@pytest.mark.parametrize(("mode", "ends"), [("Enabled", True), ("Disabled", False)])
def test_convergence_ends_the_tuning_job_where_that_is_wanted(mode: str, ends: bool) -> None:
    criteria = {"ConvergenceDetected": {"CompleteOnConvergence": mode}}
    config = {"ResourceLimits": {"MaxParallelTrainingJobs": 1}, "TuningJobCompletionCriteria": criteria}
    objectives: list[float | None] = [0.9, *[0.9] * CONVERGED_AFTER]
    assert Limits.read(config, 0).reached(objectives, maximize=True) is ends


@pytest.mark.parametrize(("strategy", "jobs"), [("Random", 10_000), ("Bayesian", 750), ("Hyperband", 750)])
def test_without_a_number_there_are_as_many_jobs_as_may_be(strategy: str, jobs: int) -> None:
    resources = {"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}
    limits = Limits.read({"Strategy": strategy, "ResourceLimits": resources}, 1000.0)
    assert limits.jobs == jobs
    assert limits.seconds_left() == 0.0
    assert limits.seconds_left() == 0.0
