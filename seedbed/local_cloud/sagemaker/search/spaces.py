"""Search spaces as unit cubes, in which the Bayesian strategy works."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Array = NDArray[np.float64]


class Axis:
    """Maps one hyperparameter to 0 … 1, by its scaling. An integer or category is the middle of its interval."""

    def __init__(self, distribution: BaseDistribution) -> None:
        self._distribution = distribution
        self.categories = 0
        if isinstance(distribution, CategoricalDistribution):
            self.categories = len(distribution.choices)
            self._low, self._high = 0.0, float(self.categories)
            return
        half = 0.5 if isinstance(distribution, IntDistribution) else 0.0
        self._low, self._high = distribution.low - half, distribution.high + half
        if distribution.log:
            self._low, self._high = math.log(self._low), math.log(self._high)

    def to_unit(self, choice: Any) -> float:
        """The coordinate of a choice of the distribution."""
        d = self._distribution
        if isinstance(d, CategoricalDistribution):
            return (int(d.choices.index(choice)) + 0.5) / self.categories
        value = math.log(choice) if d.log else choice
        return float((value / 2 - self._low / 2) / (self._high / 2 - self._low / 2))

    def from_unit(self, coordinate: float) -> Any:
        """The choice whose interval contains the coordinate."""
        d = self._distribution
        value = self._low * (1 - coordinate) + self._high * coordinate
        if isinstance(d, CategoricalDistribution):
            return d.choices[min(int(value), self.categories - 1)]
        value = math.exp(value) if d.log else value
        value = round(value) if isinstance(d, IntDistribution) else value
        return min(max(value, d.low), d.high)

    def snap(self, coordinates: Array) -> Array:
        """The coordinates (n,), each moved to the nearest one of a choice."""
        d = self._distribution
        if isinstance(d, FloatDistribution):
            return coordinates
        span = self._high - self._low
        values = self._low + coordinates * span
        if isinstance(d, CategoricalDistribution):
            return np.asarray((np.clip(np.floor(values), 0, self.categories - 1) + 0.5) / self.categories)
        values = np.clip(np.round(np.exp(values) if d.log else values), d.low, d.high)
        return np.asarray(((np.log(values) if d.log else values) - self._low) / span)


class Space:
    """All hyperparameters together. Points are rows (n, dimensions) in the unit cube."""

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self._axes = {name: Axis(item) for name, item in distributions.items()}
        self.dimensions = len(self._axes)
        # The dimension of each feature column.
        self.column_dimensions = np.repeat(
            np.arange(self.dimensions), [max(1, axis.categories) for axis in self._axes.values()]
        )

    def points(self, params: Sequence[Mapping[str, Any]]) -> Array:
        """The points of several trials' choices."""
        rows = [[axis.to_unit(item[name]) for name, axis in self._axes.items()] for item in params]
        return np.array(rows, float).reshape(len(rows), self.dimensions)

    def params(self, point: Array) -> dict[str, Any]:
        """The choices at one point (dimensions,)."""
        return {name: axis.from_unit(float(at)) for (name, axis), at in zip(self._axes.items(), point, strict=True)}

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Random points."""
        return self._snap(rng.random((count, self.dimensions)))

    def center(self, rng: np.random.Generator) -> Array:
        """The point (dimensions,) about the middle of every range, with random categories."""
        free = [axis.categories > 0 for axis in self._axes.values()]
        anywhere = rng.random(self.dimensions)
        return np.asarray(self._snap(np.where(free, anywhere, rng.uniform(0.49, 0.51))[None])[0])

    def perturb(self, points: Array, rng: np.random.Generator) -> Array:
        """The points with one or more dimensions changed: by a small step, or to a random value."""
        free = [axis.categories > 0 for axis in self._axes.values()]
        moved = rng.random(points.shape) < 1 / self.dimensions
        moved[np.arange(len(points)), rng.integers(0, self.dimensions, len(points))] = True
        steps = rng.normal(0, np.exp(rng.uniform(math.log(0.02), math.log(0.3), (len(points), 1))), points.shape)
        anywhere = rng.random(points.shape)
        near = np.clip(points + steps, 0, 1)
        new = np.where(free | (rng.random(points.shape) < 0.5), anywhere, near)
        return self._snap(np.where(moved, new, points))

    def features(self, points: Array) -> Array:
        """(n, columns): each category has its own column, scaled so that two different ones are 1 apart."""
        columns = []
        for axis, at in zip(self._axes.values(), points.T, strict=True):
            if axis.categories:
                index = (at * axis.categories).astype(np.int64)
                columns.append(np.eye(axis.categories)[index] / math.sqrt(2))
            else:
                columns.append(at[:, None])
        return np.concatenate(columns, axis=1)

    def _snap(self, points: Array) -> Array:
        return np.stack([axis.snap(at) for axis, at in zip(self._axes.values(), points.T, strict=True)], axis=1)
