"""The ranges of tuned hyperparameters, and the values that their texts stand for."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = float | int | str
AUTO_LOG_RATIO = 100.0
KINDS = {"ContinuousParameterRanges": float, "IntegerParameterRanges": int}


@dataclass(frozen=True)
class Range:
    """What a hyperparameter was chosen from.

    kind: float, int or str. low, high: the bounds of numbers, both included. choices: of a categorical one.
    scaling: SageMaker's ScalingType, empty for a categorical one.
    """

    name: str
    kind: type[float] | type[int] | type[str]
    low: float = 0.0
    high: float = 0.0
    scaling: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_logarithmic(self) -> bool:
        """Whether the scaling is logarithmic: as asked for, or with Auto over two orders of magnitude or more."""
        wide = self.low > 0 and self.high / self.low >= AUTO_LOG_RATIO
        return self.low > 0 and (self.scaling == "Logarithmic" or (self.scaling == "Auto" and wide))

    def holds(self, value: Value) -> bool:
        """Whether the range has this value."""
        if self.kind is str or isinstance(value, str):
            return value in self.choices
        return self.low <= value <= self.high


def read_ranges(config: Mapping[str, Any]) -> Iterator[Range]:
    """The ranges in a tuning job's ParameterRanges; one with bounds that are not numbers is left out."""
    for field, kind in KINDS.items():
        for item in config.get(field, []):
            low, high = (number(str(item[end]), kind) for end in ("MinValue", "MaxValue"))
            if not isinstance(low, str) and not isinstance(high, str):
                yield Range(item["Name"], kind, low, high, item.get("ScalingType", "Auto"))
    for item in config.get("CategoricalParameterRanges", []):
        yield Range(item["Name"], str, choices=tuple(item["Values"]))


def number(text: str, kind: type[float] | type[int]) -> Value:
    """The finite number that a text is; the text itself if it is none of this kind."""
    try:
        value = kind(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def value_of(text: str, found: Range | None) -> Value:
    """What a hyperparameter's text stands for: a number, or the text of a categorical one or one without a range."""
    if found is None or found.kind is str:
        return text
    return number(text, int if found.kind is int else float)
