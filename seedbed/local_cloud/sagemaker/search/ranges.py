"""Parameter ranges: what a tuning job may choose from, as Optuna's distributions and as the text a container gets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ..errors import Invalid

WIDE = 100.0
TUNABLE = 30
# Beyond this a float, which the samplers reckon with, can't tell neighbouring integers apart.
LARGEST = 2**53


@dataclass(frozen=True)
class Range:
    """One tunable hyperparameter. With ReverseLogarithmic scaling the distribution is of 1 - value."""

    name: str
    distribution: BaseDistribution
    reverse: bool = False

    @property
    def kind(self) -> str:
        """`continuous`, `integer` or `categorical`."""
        if isinstance(self.distribution, FloatDistribution):
            return "continuous"
        return "integer" if isinstance(self.distribution, IntDistribution) else "categorical"

    @property
    def size(self) -> float:
        """How many values there are: infinity for a continuous range."""
        if isinstance(self.distribution, CategoricalDistribution):
            return len(self.distribution.choices)
        if isinstance(self.distribution, IntDistribution):
            return int(self.distribution.high) - int(self.distribution.low) + 1
        return 1 if self.distribution.low == self.distribution.high else math.inf

    def value(self, place: int) -> str:
        """The text of one value of a range whose size is finite, counted from 0."""
        if isinstance(self.distribution, CategoricalDistribution):
            return self.text(self.distribution.choices[place])
        return self.text(self.distribution.low + place)

    def text(self, choice: Any) -> str:
        """What the container gets for what the sampler chose."""
        if isinstance(self.distribution, FloatDistribution):
            return repr(1.0 - float(choice) if self.reverse else float(choice))
        return str(choice)

    def choice(self, text: str) -> Any:
        """The sampler's side of a value. Raises ValueError for one outside the range."""
        value: Any = text
        if isinstance(self.distribution, FloatDistribution):
            value = 1.0 - float(text) if self.reverse else float(text)
            slack = 1e-9 * max(1.0, abs(value))
            if self.distribution.low - slack <= value <= self.distribution.high + slack:
                value = min(max(value, self.distribution.low), self.distribution.high)
        elif isinstance(self.distribution, IntDistribution):
            value = int(text)
        if not self.distribution._contains(self.distribution.to_internal_repr(value)):
            raise ValueError(f"{text} is outside the range of {self.name}")
        return value


def read_ranges(ranges: Mapping[str, Any]) -> list[Range]:
    """The ParameterRanges of a tuning job. Raises Invalid, naming the range that can't be."""
    if ranges.get("AutoParameters"):
        raise Invalid("AutoParameters need Autotune with the Mode Enabled. Without it, give each one a range.")
    found = [_continuous(item) for item in ranges.get("ContinuousParameterRanges", [])]
    found += [_integer(item) for item in ranges.get("IntegerParameterRanges", [])]
    found += [_categorical(item) for item in ranges.get("CategoricalParameterRanges", [])]
    names = [item.name for item in found]
    if not names:
        raise Invalid("ParameterRanges must hold at least one hyperparameter to tune.")
    if len(names) > TUNABLE:
        raise Invalid(f"ParameterRanges hold {len(names)} hyperparameters; at most {TUNABLE} can be tuned.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"The hyperparameter '{twice[0]}' has more than one range.")
    return found


def _continuous(item: Mapping[str, str]) -> Range:
    low, high = _bounds(item, float)
    name, scaling = item["Name"], item.get("ScalingType", "Auto")
    if scaling == "ReverseLogarithmic":
        if not 0 <= low <= high < 1:
            raise Invalid(f"The range of '{name}' must lie within 0 ≤ x < 1 for ReverseLogarithmic scaling.")
        return Range(name, FloatDistribution(1.0 - high, 1.0 - low, log=True), reverse=True)
    return Range(name, FloatDistribution(low, high, log=_logarithmic(name, scaling, low, high)))


def _integer(item: Mapping[str, str]) -> Range:
    low, high = _bounds(item, int)
    name, scaling = item["Name"], item.get("ScalingType", "Auto")
    if scaling == "ReverseLogarithmic":
        raise Invalid(
            f"The range of '{name}' is of integers: ReverseLogarithmic scaling is for continuous ranges only."
        )
    return Range(name, IntDistribution(low, high, log=_logarithmic(name, scaling, low, high)))


def _categorical(item: Mapping[str, Any]) -> Range:
    values = item["Values"]
    if len(set(values)) < len(values):
        raise Invalid(f"The values of '{item['Name']}' must differ from each other.")
    return Range(item["Name"], CategoricalDistribution(values))


def _bounds(item: Mapping[str, str], kind: type[float] | type[int]) -> tuple[Any, Any]:
    try:
        low, high = kind(item["MinValue"]), kind(item["MaxValue"])
    except ValueError as error:
        noun = "whole numbers" if kind is int else "numbers"
        raise Invalid(f"MinValue and MaxValue of '{item['Name']}' must be {noun}.") from error
    if not math.isfinite(low) or not math.isfinite(high) or low > high:
        raise Invalid(f"MinValue of '{item['Name']}' must not be greater than its MaxValue, and both finite.")
    if kind is int and max(abs(low), abs(high)) > LARGEST:
        raise Invalid(f"MinValue and MaxValue of '{item['Name']}' must lie within ±{LARGEST}.")
    return low, high


def _logarithmic(name: str, scaling: str, low: float, high: float) -> bool:
    """Auto takes the logarithm where the range spans two orders of magnitude or more."""
    if scaling == "Logarithmic" and low <= 0:
        raise Invalid(f"MinValue of '{name}' must be greater than 0 for Logarithmic scaling.")
    return scaling == "Logarithmic" or (scaling == "Auto" and low > 0 and high / low >= WIDE)
