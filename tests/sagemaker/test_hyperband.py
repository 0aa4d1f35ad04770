"""Hyperband by itself: its rungs, what it stops, and where its resource comes from."""

import math
import random

import pytest

from seedbed.local_cloud.sagemaker.search.hyperband import Hyperband, resource_bounds


def test_rungs_begin_at_the_minimum_and_stay_below_the_maximum() -> None:
    assert Hyperband(1, 81, maximize=True).rungs == [1, 4, 16, 64]
    assert Hyperband(5, 20, maximize=True).rungs == [5]
    assert Hyperband(7, 7, maximize=True).rungs == []


@pytest.mark.parametrize("maximize", [True, False])
def test_the_best_quarter_at_a_rung_continues(maximize: bool) -> None:
    band = Hyperband(1, 9, maximize)
    sign = 1 if maximize else -1
    values = [0.5, 0.4, 0.6, 0.3, 0.7, 0.65, 0.2, 0.68]
    stopped = [band.should_stop(number, [sign * value]) for number, value in enumerate(values, 1)]
    assert stopped == [False, True, False, True, False, True, True, False]


def test_jobs_are_stopped_at_rungs_and_above_the_maximum_only() -> None:
    band = Hyperband(1, 9, maximize=True)
    for reports in range(1, 10):
        assert not band.should_stop(1, [0.9] * reports)
    assert not band.should_stop(2, [0.1, 0.1])
    assert band.should_stop(2, [0.1] * 4)
    assert band.should_stop(1, [0.9] * 10)


def test_a_resumed_hyperband_counts_ended_jobs() -> None:
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
    """After how many reports Hyperband stops the job."""
    return next((end for end in range(1, len(curve)) if band.should_stop(number, curve[:end])), len(curve))


@pytest.mark.parametrize(
    ("given", "static", "bounds"),
    [
        ({"MaxResource": 30}, {"epochs": "9"}, (1, 30)),
        ({"MinResource": 3}, {"epochs": "9"}, (3, 9)),
        ({}, {"num_epochs": "4", "n-epochs": "5"}, (1, 5)),
    ],
)
def test_the_resource_is_given_or_read_from_the_epochs(
    given: dict[str, int], static: dict[str, str], bounds: tuple[int, int]
) -> None:
    assert resource_bounds({"StrategyConfig": {"HyperbandStrategyConfig": given}}, static) == bounds
