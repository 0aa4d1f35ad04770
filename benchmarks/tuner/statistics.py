"""Mean regrets and their intervals."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .campaign import Results, Task
from .problems import Problem

RESAMPLES = 2000

# (problems, seeds)
Regrets = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean, and its 95 % interval over resampled problems and seeds."""

    mean: float
    low: float
    high: float

    @property
    def text(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def regrets(results: Results, contestant: str, problems: list[str], seeds: int, trials: int) -> Regrets:
    """The regret of the best of the first `trials` trials, (problems, seeds)."""
    return np.array(
        [
            [Problem(name, seed).regret(results[Task(contestant, name, seed)][:trials]) for seed in range(seeds)]
            for name in problems
        ]
    )


def whole_seeds(results: Results, contestant: str, problems: list[str], seeds: int) -> int:
    """For how many seeds, from 0, all problems were searched; at most `seeds`."""
    whole = (all(Task(contestant, name, seed) in results for name in problems) for seed in range(seeds))
    return sum(1 for _ in itertools.takewhile(bool, whole))


def mean(own: Regrets) -> Estimate:
    means = [sample.mean() for (sample,) in _resampled(own)]
    return _estimate(float(own.mean()), means)


def ratio(own: Regrets, other: Regrets) -> Estimate:
    """Mean regret divided by the other's mean regret, the two paired by problem and seed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [left.mean() / right.mean() for left, right in _resampled(own, other)]
    return _estimate(float(own.mean() / other.mean()), ratios)


def difference(own: Regrets, other: Regrets) -> Estimate:
    differences = [left.mean() - right.mean() for left, right in _resampled(own, other)]
    return _estimate(float(own.mean() - other.mean()), differences)


def wins(own: Regrets, other: Regrets) -> float:
    """The share of pairs with a lower regret than the other's; a draw is half a win."""
    return float((own < other).mean() + 0.5 * (own == other).mean())


def _estimate(value: float, samples: list[float]) -> Estimate:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _resampled(*paired: Regrets) -> list[tuple[Regrets, ...]]:
    """Bootstrap samples: problems drawn with replacement, and seeds within each; the same ones for all."""
    rng = np.random.default_rng(0)
    problems, seeds = paired[0].shape
    samples = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, problems, (problems, 1))
        columns = rng.integers(0, seeds, (problems, seeds))
        samples.append(tuple(values[rows, columns] for values in paired))
    return samples
