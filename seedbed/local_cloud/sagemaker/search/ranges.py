"""Parameter ranges of a tuning job, as Optuna's distributions and as the text that a container gets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ..errors import Invalid

AUTO_LOG_RATIO = 100.0
MAX_TUNABLE = 30
# Beyond this, floats, which the samplers use, can't represent every integer.
MAX_INTEGER = 2**53


@dataclass(frozen=True)
class Range:
    """One tuned hyperparameter. reverse: with ReverseLogarithmic scaling, the distribution is that of 1 - value."""

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
        """How many values the range has; infinity if it is continuous."""
        if isinstance(self.distribution, CategoricalDistribution):
            return len(self.distribution.choices)
        if isinstance(self.distribution, IntDistribution):
            return int(self.distribution.high) - int(self.distribution.low) + 1
        return 1 if self.distribution.low == self.distribution.high else math.inf

    def value(self, index: int) -> str:
        """The text of one value of a finite range. index: from 0."""
        if isinstance(self.distribution, CategoricalDistribution):
            return self.text(self.distribution.choices[index])
        return self.text(self.distribution.low + index)

    def text(self, choice: Any) -> str:
        """The text that the container gets for a sampler's choice."""
        if isinstance(self.distribution, FloatDistribution):
            return repr(1.0 - float(choice) if self.reverse else float(choice))
        return str(choice)

    def choice(self, text: str) -> Any:
        """The sampler's choice for a text. Raises ValueError if it is outside the range."""
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
    """The ranges in a tuning job's ParameterRanges. Raises Invalid, naming the wrong range."""
    if ranges.get("AutoParameters"):
        raise Invalid("AutoParameters need Autotune with the Mode Enabled. Without it, give each one a range.")
    found = [_continuous(item) for item in ranges.get("ContinuousParameterRanges", [])]
    found += [_integer(item) for item in ranges.get("IntegerParameterRanges", [])]
    found += [_categorical(item) for item in ranges.get("CategoricalParameterRanges", [])]
    names = [item.name for item in found]
    if not names:
        raise Invalid("ParameterRanges must hold at least one hyperparameter to tune.")
    if len(names) > MAX_TUNABLE:
        raise Invalid(f"ParameterRanges hold {len(names)} hyperparameters; at most {MAX_TUNABLE} can be tuned.")
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
    if kind is int and max(abs(low), abs(high)) > MAX_INTEGER:
        raise Invalid(f"MinValue and MaxValue of '{item['Name']}' must lie within ±{MAX_INTEGER}.")
    return low, high


def _logarithmic(name: str, scaling: str, low: float, high: float) -> bool:
    """Whether the scaling is logarithmic; Auto is if the range spans two orders of magnitude or more."""
    if scaling == "Logarithmic" and low <= 0:
        raise Invalid(f"MinValue of '{name}' must be greater than 0 for Logarithmic scaling.")
    return scaling == "Logarithmic" or (scaling == "Auto" and low > 0 and high / low >= AUTO_LOG_RATIO)
