"""Mean regrets and their intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .campaign import Results, Task
from .tables import load

RESAMPLES = 2000

# (tables, seeds)
Regrets = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean, and its 95 % interval over resampled tables and seeds."""

    mean: float
    low: float
    high: float

    @property
    def text(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def regrets(results: Results, contestant: str, tables: list[str], seeds: int, trials: int) -> Regrets:
    """The regret of the best of the first `trials` trials, (tables, seeds)."""
    return np.array(
        [[_regret(results, Task(contestant, table, seed), trials) for seed in range(seeds)] for table in tables]
    )


def _regret(results: Results, task: Task, trials: int) -> float:
    scores = np.array([score for _, score in results[task][:trials]])
    return float(load(task.table).regret(scores.max()))


def mean(own: Regrets) -> Estimate:
    means = [sample.mean() for (sample,) in _resampled(own)]
    return _estimate(float(own.mean()), means)


def ratio(own: Regrets, other: Regrets) -> Estimate:
    """Mean regret divided by the other's mean regret, the two paired by table and seed."""
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
    """Bootstrap samples: tables drawn with replacement, and seeds within each; the same ones for all."""
    rng = np.random.default_rng(0)
    tables, seeds = paired[0].shape
    samples = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, tables, (tables, 1))
        columns = rng.integers(0, seeds, (tables, seeds))
        samples.append(tuple(values[rows, columns] for values in paired))
    return samples
