"""Search spaces as unit cubes: what the Bayesian strategy reckons in."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Array = NDArray[np.float64]


class Axis:
    """One hyperparameter as a number from 0 to 1, in its scaling; an integer or category is the middle of its share."""

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

    def place(self, choice: Any) -> float:
        """Of a choice of the distribution."""
        d = self._distribution
        if isinstance(d, CategoricalDistribution):
            return (int(d.choices.index(choice)) + 0.5) / self.categories
        value = math.log(choice) if d.log else choice
        return float((value / 2 - self._low / 2) / (self._high / 2 - self._low / 2))

    def choice(self, place: float) -> Any:
        """The one whose share the place is in."""
        d = self._distribution
        value = self._low * (1 - place) + self._high * place
        if isinstance(d, CategoricalDistribution):
            return d.choices[min(int(value), self.categories - 1)]
        value = math.exp(value) if d.log else value
        value = round(value) if isinstance(d, IntDistribution) else value
        return min(max(value, d.low), d.high)

    def snapped(self, places: Array) -> Array:
        """Each moved to the nearest place that is a choice."""
        d = self._distribution
        if isinstance(d, FloatDistribution):
            return places
        span = self._high - self._low
        values = self._low + places * span
        if isinstance(d, CategoricalDistribution):
            return np.asarray((np.clip(np.floor(values), 0, self.categories - 1) + 0.5) / self.categories)
        values = np.clip(np.round(np.exp(values) if d.log else values), d.low, d.high)
        return np.asarray(((np.log(values) if d.log else values) - self._low) / span)


class Space:
    """All axes at once: places are rows (n, dimensions) in the unit cube."""

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self._axes = {name: Axis(item) for name, item in distributions.items()}
        self.dimensions = len(self._axes)
        # The dimension each feature column belongs to.
        self.owners = np.repeat(np.arange(self.dimensions), [max(1, axis.categories) for axis in self._axes.values()])

    def places(self, params: Sequence[Mapping[str, Any]]) -> Array:
        """One row for each trial's choices."""
        rows = [[axis.place(item[name]) for name, axis in self._axes.items()] for item in params]
        return np.array(rows, float).reshape(len(rows), self.dimensions)

    def params(self, place: Array) -> dict[str, Any]:
        """The choices at one place."""
        return {name: axis.choice(float(at)) for (name, axis), at in zip(self._axes.items(), place, strict=True)}

    def drawn(self, count: int, rng: np.random.Generator) -> Array:
        """Places at random."""
        return self._snapped(rng.random((count, self.dimensions)))

    def middle(self, rng: np.random.Generator) -> Array:
        """The middle of every range, and any category."""
        free = [axis.categories > 0 for axis in self._axes.values()]
        anywhere = rng.random(self.dimensions)
        return np.asarray(self._snapped(np.where(free, anywhere, rng.uniform(0.49, 0.51))[None])[0])

    def varied(self, places: Array, rng: np.random.Generator) -> Array:
        """The places with one dimension or more moved: by a small step, or anywhere."""
        free = [axis.categories > 0 for axis in self._axes.values()]
        moved = rng.random(places.shape) < 1 / self.dimensions
        moved[np.arange(len(places)), rng.integers(0, self.dimensions, len(places))] = True
        steps = rng.normal(0, np.exp(rng.uniform(math.log(0.02), math.log(0.3), (len(places), 1))), places.shape)
        anywhere = rng.random(places.shape)
        near = np.clip(places + steps, 0, 1)
        new = np.where(free | (rng.random(places.shape) < 0.5), anywhere, near)
        return self._snapped(np.where(moved, new, places))

    def features(self, places: Array) -> Array:
        """(n, columns): a category becomes one column each, so that two different ones are 1 apart."""
        columns = []
        for axis, at in zip(self._axes.values(), places.T, strict=True):
            if axis.categories:
                index = (at * axis.categories).astype(np.int64)
                columns.append(np.eye(axis.categories)[index] / math.sqrt(2))
            else:
                columns.append(at[:, None])
        return np.concatenate(columns, axis=1)

    def _snapped(self, places: Array) -> Array:
        return np.stack([axis.snapped(at) for axis, at in zip(self._axes.values(), places.T, strict=True)], axis=1)
