"""Well-known test functions over mixed ranges: continuous, integer and categorical ones, on linear and log scales."""

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = NDArray[np.float64]

SAMPLES = 4096


@dataclass(frozen=True)
class Axis:
    """One kind of range. steps: how many values it has; 0 if it is continuous."""

    kind: str
    low: float
    high: float
    log: bool = False
    steps: int = 0

    def coordinate(self, value: float) -> float:
        """Where the value lies on the axis, from 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def snap(self, coordinates: Point) -> Point:
        """The coordinates, each at one of the axis's values."""
        if not self.steps:
            return coordinates
        if not self.log:
            return np.round(coordinates * (self.steps - 1)) / (self.steps - 1)
        values = np.round(self.low * (self.high / self.low) ** coordinates)
        return np.asarray(np.log(values / self.low) / math.log(self.high / self.low))


CONTINUOUS = Axis("continuous", -5, 5)
LOG = Axis("continuous", 1e-5, 1, log=True)
INTEGER = Axis("integer", 0, 20, steps=21)
LOG_INTEGER = Axis("integer", 1, 1024, log=True, steps=1024)
CATEGORICAL = Axis("categorical", 0, 4, steps=5)


def ackley(offsets: Point) -> Point:
    """All functions take offsets from the optimum (…, ranges), within -1 and 1; the optimum's value is 0."""
    z = offsets * 10
    far = -20 * np.exp(-0.2 * np.sqrt((z**2).mean(-1)))
    return np.asarray(far - np.exp(np.cos(2 * math.pi * z).mean(-1)) + 20 + math.e)


def levy(offsets: Point) -> Point:
    w = 1 + offsets * 2.5
    middle = ((w[..., :-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[..., :-1] + 1) ** 2)).sum(-1)
    last = (w[..., -1] - 1) ** 2 * (1 + np.sin(2 * math.pi * w[..., -1]) ** 2)
    return np.asarray(np.sin(math.pi * w[..., 0]) ** 2 + middle + last)


def rosenbrock(offsets: Point) -> Point:
    x = 1 + offsets * 2
    return np.asarray((100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2).sum(-1))


def rastrigin(offsets: Point) -> Point:
    z = offsets * 2.56
    return np.asarray((z**2 - 10 * np.cos(2 * math.pi * z) + 10).sum(-1))


def sphere(offsets: Point) -> Point:
    return np.asarray((offsets**2).sum(-1))


@dataclass(frozen=True)
class Function:
    """A function whose optimum, and whose order of categories, are drawn by its name. The higher a score the better."""

    name: str
    formula: Callable[[Point], Point]
    axes: tuple[Axis, ...]

    @cached_property
    def ranges(self) -> dict[str, Any]:
        """AMT's ParameterRanges."""
        numbered = list(enumerate(self.axes))
        return {
            "ContinuousParameterRanges": [_numeric(n, axis) for n, axis in numbered if axis.kind == "continuous"],
            "IntegerParameterRanges": [_numeric(n, axis) for n, axis in numbered if axis.kind == "integer"],
            "CategoricalParameterRanges": [
                {"Name": f"h{n}", "Values": [str(place) for place in range(axis.steps)]}
                for n, axis in numbered
                if axis.kind == "categorical"
            ],
        }

    def score(self, values: dict[str, Any]) -> float:
        point = np.array([self._coordinate(n, axis, float(values[f"h{n}"])) for n, axis in enumerate(self.axes)])
        return -float(self.formula(point - self._optimum))

    def regret(self, score: float) -> float:
        """0 for the optimum, 1 for the median of random points."""
        return -score / self._median

    def _coordinate(self, number: int, axis: Axis, value: float) -> float:
        return axis.coordinate(self._orders[number][int(value)] if axis.kind == "categorical" else value)

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(self.name.encode()))

    @cached_property
    def _optimum(self) -> Point:
        places = self._rng().uniform(0.15, 0.85, len(self.axes))
        return np.array([float(axis.snap(place)) for axis, place in zip(self.axes, places, strict=True)])

    @cached_property
    def _orders(self) -> list[list[int]]:
        rng = self._rng()
        return [[int(place) for place in rng.permutation(axis.steps)] for axis in self.axes]

    @cached_property
    def _median(self) -> float:
        drawn = self._rng().random((SAMPLES, len(self.axes)))
        points = np.stack([axis.snap(drawn[:, n]) for n, axis in enumerate(self.axes)], axis=1)
        return float(np.median(self.formula(points - self._optimum)))


def _numeric(number: int, axis: Axis) -> dict[str, str]:
    low, high = (str(int(bound)) if axis.kind == "integer" else repr(float(bound)) for bound in (axis.low, axis.high))
    scaling = "Logarithmic" if axis.log else "Linear"
    return {"Name": f"h{number}", "MinValue": low, "MaxValue": high, "ScalingType": scaling}


MIXED = (CONTINUOUS, LOG, INTEGER, CATEGORICAL)
FUNCTIONS = {
    function.name: function
    for function in (
        Function("functions/sphere, 4 ranges", sphere, MIXED),
        Function("functions/rosenbrock, 6 ranges", rosenbrock, (CONTINUOUS, LOG) * 3),
        Function("functions/levy, 8 ranges", levy, MIXED * 2),
        Function("functions/rastrigin, 10 ranges", rastrigin, (CONTINUOUS, LOG_INTEGER) * 4 + (CATEGORICAL,) * 2),
        Function("functions/ackley, 20 ranges", ackley, (*MIXED, LOG_INTEGER) * 4),
        Function("functions/levy, 20 ranges", levy, (*MIXED, LOG_INTEGER) * 4),
    )
}
