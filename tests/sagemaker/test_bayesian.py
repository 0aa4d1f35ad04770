"""The Bayesian strategy: what it learns from, and what it avoids."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from seedbed.local_cloud.sagemaker.search.bayesian import normalized, subsample
from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.spaces import Space
from seedbed.local_cloud.sagemaker.search.strategies import Search

RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "rate", "MinValue": "0.0001", "MaxValue": "1", "ScalingType": "Logarithmic"},
        {"Name": "keep", "MinValue": "0.5", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "width", "MinValue": "1", "MaxValue": "64"}],
    "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b", "c"]}],
}
Values = dict[str, str]


def score(values: Values) -> float:
    """Best, at 0, for a rate of 0.01, a width of 40 and kind b; `keep` doesn't matter."""
    miss = (math.log10(float(values["rate"])) + 2) ** 2 + (int(values["width"]) / 64 - 40 / 64) ** 2 * 9
    return -miss - (values["kind"] != "b")


def search(strategy: str = "Bayesian", seed: int = 0, *, maximize: bool = True, ranges: Any = RANGES) -> Search:
    return Search(read_ranges(ranges), strategy, maximize, seed)


def played(search: Search, trials: int, score: Callable[[Values], float | None] = score) -> list[Values]:
    asked = []
    for number in range(1, trials + 1):
        asked.append(search.ask(number))
        search.tell(number, score(asked[-1]))
    return asked


def test_the_bayesian_strategy_comes_nearer_than_random() -> None:
    best = {
        strategy: [max(map(score, played(search(strategy, seed), 24))) for seed in range(5)]
        for strategy in ("Bayesian", "Random")
    }
    assert np.mean(best["Bayesian"]) > 0.3 * np.mean(best["Random"])


def test_minimizing_mirrors_maximizing() -> None:
    assert played(search(maximize=False), 12, lambda values: -score(values)) == played(search(), 12)


def test_the_objectives_unit_makes_no_difference() -> None:
    assert played(search(), 12, lambda values: 1024 * score(values)) == played(search(), 12)


def test_the_search_starts_in_the_middle_and_then_spreads() -> None:
    first, second, third = played(search(), 3)
    assert float(first["rate"]) == pytest.approx(0.01, rel=0.3)
    assert 31 <= int(first["width"]) <= 34
    space = Space({item.name: item.distribution for item in read_ranges(RANGES)})
    ranges = {item.name: item for item in read_ranges(RANGES)}
    rows = space.points([{name: ranges[name].choice(text) for name, text in row.items()} for row in (first, second)])
    assert np.abs(rows[0] - rows[1]).max() > 0.3
    assert third not in (first, second)


def test_a_restarted_search_makes_the_same_choices() -> None:
    through = search()
    asked = played(through, 9)
    pending = [through.ask(10), through.ask(11)]
    restarted = search()
    for number, values in enumerate(asked, 1):
        restarted.resume(number, values)
        restarted.tell(number, score(values))
    assert restarted.ask(10) == pending[0]
    assert restarted.ask(11) == pending[1]


def test_parallel_trials_keep_apart() -> None:
    line = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}
    alone = search(ranges=line)
    played(alone, 8, lambda values: -((float(values["x"]) - 0.5) ** 2))
    together = sorted(float(alone.ask(number)["x"]) for number in range(9, 13))
    assert min(np.diff(together)) > 0.003


def test_parallel_first_trials_keep_apart() -> None:
    line = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}
    for parent in ("", "other"):
        fresh = search(ranges=line)
        if parent:
            for place in range(11):
                fresh.add_prior({"x": str(place / 10)}, -abs(place - 5), parent)
        together = sorted(float(fresh.ask(number)["x"]) for number in range(1, 5))
        assert min(np.diff(together)) > 0.01


def test_no_combination_comes_twice_while_others_are_left() -> None:
    small = {
        "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "5", "ScalingType": "Logarithmic"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b", "c", "d"]}],
    }
    asked = played(search(ranges=small), 20, lambda values: float(values["n"]) * (values["kind"] == "a"))
    assert len({tuple(values.values()) for values in asked}) == 20


def test_the_search_avoids_where_trials_fail() -> None:
    def fails_right(values: Values) -> float | None:
        return None if int(values["width"]) > 32 else -abs(int(values["width"]) - 20)

    asked = played(search(), 20, fails_right)
    assert sum(int(values["width"]) > 32 for values in asked[10:]) <= 3


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308])
def test_an_absurd_objective_does_not_end_the_search(value: float) -> None:
    asked = played(search(), 20, lambda values: value if values["kind"] == "c" else score(values))
    assert len(asked) == 20


def test_a_search_whose_trials_all_fail_continues() -> None:
    assert len(played(search(), 6, lambda _: None)) == 6


def parent_trials(seed: int) -> list[Values]:
    return played(search(seed=seed), 25)


def test_another_jobs_trials_improve_the_first_ones_at_any_scale() -> None:
    warm = search(seed=1)
    for values in parent_trials(7):
        warm.add_prior(values, 1000 * score(values) + 5e6, "parent")
    first = played(warm, 3)
    assert max(map(score, first)) > max(map(score, played(search(seed=1), 3)))
    assert score(first[0]) > -0.5


def test_a_misleading_parent_does_little_harm() -> None:
    warm = search(seed=2)
    for values in parent_trials(7):
        warm.add_prior(values, -score(values), "parent")
    assert max(map(score, played(warm, 24))) > -0.4


def test_comparable_priors_count_as_own_trials() -> None:
    earlier = parent_trials(7)
    warm = search(seed=1)
    for values in earlier:
        warm.add_prior(values, score(values))
    asked = played(warm, 5)
    assert max(map(score, [*earlier, *asked])) > -0.1
    assert not {tuple(values.values()) for values in asked} & {tuple(values.values()) for values in earlier}


def test_a_range_of_one_value_has_that_value() -> None:
    fixed = {"IntegerParameterRanges": [{"Name": "n", "MinValue": "3", "MaxValue": "3"}]}
    assert search(ranges=fixed).ask(1) == {"n": "3"}
    both = {**RANGES, **fixed}
    assert {values["n"] for values in played(search(ranges=both), 5, lambda _: 1.0)} == {"3"}


def test_equal_objectives_dont_stop_the_search() -> None:
    assert len(played(search(), 8, lambda _: 0.5)) == 8


DISTRIBUTIONS = {
    "plain": FloatDistribution(-3.0, 7.0),
    "log": FloatDistribution(1e-9, 1e3, log=True),
    "huge": FloatDistribution(-1e308, 1e308),
    "count": IntDistribution(-4, 9),
    "power": IntDistribution(1, 2**53, log=True),
    "wide": IntDistribution(-(2**53), 2**53),
    "kind": CategoricalDistribution(["a", "b", "c"]),
}


@given(st.integers(0, 2**32))
def test_sampled_and_perturbed_points_are_choices(seed: int) -> None:
    space, rng = Space(DISTRIBUTIONS), np.random.default_rng(seed)
    sampled = space.sample(4, rng)
    for point in [*sampled, *space.perturb(sampled, rng), space.center(rng)]:
        chosen = space.params(point)
        for name, distribution in DISTRIBUTIONS.items():
            assert distribution._contains(distribution.to_internal_repr(chosen[name]))
        assert space.points([chosen])[0] == pytest.approx(point, abs=1e-6)


def test_categories_are_equally_far_apart() -> None:
    space = Space({"kind": DISTRIBUTIONS["kind"], "x": DISTRIBUTIONS["plain"]})
    rows = space.features(space.points([{"kind": kind, "x": 0.0} for kind in "abc"]))
    assert [np.linalg.norm(rows[left] - rows[right]) for left, right in ((0, 1), (1, 2), (0, 2))] == pytest.approx(
        [1] * 3
    )


def test_equal_values_have_equal_scores_and_better_ones_higher() -> None:
    scores = normalized(np.array([3.0, 1.0, 3.0, 7.0]))
    assert scores[0] == scores[2]
    assert scores[1] < scores[0] < scores[3]


def test_one_very_bad_value_leaves_the_others_apart() -> None:
    scores = normalized(np.array([1.0, 2.0, 3.0, 4.0, -1e9]))
    assert np.diff(scores[:4]).min() > 0.15


def test_a_subsample_keeps_the_best_trials_and_some_others() -> None:
    scores = np.random.default_rng(0).normal(size=700)
    chosen = subsample(scores, 90)
    assert len(set(chosen)) == 90
    assert set(np.argsort(-scores)[:45]) <= set(chosen)
    assert scores.argmin() in chosen
