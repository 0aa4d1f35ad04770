"""The ranges that a person chooses for the search, checked against what the trainer takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .dataset import SEARCH_SPACE_FILE
from .errors import RunRefused
from .plan import Plan
from .search_space import (
    FINE_TUNING_SEARCH_SPACE,
    FIXED_FINE_TUNING_HYPERPARAMETERS,
    FIXED_HYPERPARAMETERS,
    SEARCH_SPACE,
    Choice,
    Continuous,
    Integer,
    Searched,
    SearchSpace,
    as_text,
)

NAME_SHOWN = 60


@dataclass(frozen=True)
class Limits:
    """The numbers that the trainer takes for a hyperparameter, whole ones alone if `whole`."""

    low: float
    high: float
    whole: bool = False

    def allow(self, number: float) -> bool:
        """Whether the trainer takes this number."""
        return self.low <= number <= self.high and not (self.whole and number != int(number))

    def read(self, number: float) -> float:
        """The number as it is searched: an int if whole, else a float."""
        return int(number) if self.whole else float(number)

    def __str__(self) -> str:
        return f"{'whole numbers' if self.whole else 'numbers'} from {self.low:g} to {self.high:.10g}"


LIMITS: Mapping[str, Limits] = {
    "learning_rate": Limits(1e-8, 1.0),
    "epochs": Limits(1, 10_000, whole=True),
    "batch_size": Limits(1, 65_536, whole=True),
    "augmentation": Limits(0.0, 1.0),
    "dropout": Limits(0.0, 0.9),
    "weight_decay": Limits(0.0, 10.0),
    "label_smoothing": Limits(0.0, 0.5),
    "class_weighting": Limits(0.0, 1.0),
    "seed": Limits(0, 2**32 - 1, whole=True),
}
# A fine-tuned network's head has the best head's hidden layer.
HEAD_LIMITS: Mapping[str, Limits] = {**LIMITS, "hidden_units": Limits(0, 8_192, whole=True)}
FINE_TUNING_LIMITS: Mapping[str, Limits] = {**LIMITS, "early_share": Limits(0.0, 1.0)}
STAGES: Mapping[str, Mapping[str, Limits]] = {"heads": HEAD_LIMITS, "fine_tuning": FINE_TUNING_LIMITS}


@dataclass(frozen=True)
class GivenRange:
    """What a person gives for a hyperparameter: `low` and `high`, or `values` to choose from, or one `value`."""

    low: float | None = None
    high: float | None = None
    logarithmic: bool = False
    values: tuple[float, ...] = ()
    value: float | None = None

    def numbers(self) -> list[float]:
        """All numbers that are given."""
        return [number for number in (self.low, self.high, self.value, *self.values) if number is not None]


GivenRanges = Mapping[str, Mapping[str, GivenRange]]


def with_ranges(plan: Plan, given: GivenRanges) -> Plan:
    """The plan with these ranges of `heads` and `fine_tuning` in place of its own ones of the same names.

    Raises RunRefused, with a sentence that names the hyperparameter, for a range that the trainer doesn't take.
    """
    heads = chosen("heads", SEARCH_SPACE, FIXED_HYPERPARAMETERS, given)
    whole = chosen("fine_tuning", FINE_TUNING_SEARCH_SPACE, FIXED_FINE_TUNING_HYPERPARAMETERS, given)
    stage = plan.fine_tuning and replace(plan.fine_tuning, search_space=whole)
    return replace(plan, search_space=heads, fine_tuning=stage, fine_tuning_search_space=whole)


def check_ranges(given: GivenRanges) -> None:
    """Raise RunRefused, with a sentence that names the hyperparameter, for a range that the trainer doesn't take."""
    for stage, ranges in given.items():
        for name, of in ranges.items():
            searched(stage, name, of)


def chosen(stage: str, space: SearchSpace, fixed: Mapping[str, str], given: GivenRanges) -> str:
    """A stage's search space and fixed values as text, with what is given in place of its own."""
    wanted = {name: searched(stage, name, of) for name, of in given.get(stage, {}).items()}
    values = {name: of for name, of in wanted.items() if isinstance(of, str)}
    ranges = {name: of for name, of in wanted.items() if not isinstance(of, str)}
    return as_text(
        {name: of for name, of in {**space, **ranges}.items() if name not in values},
        {name: of for name, of in {**fixed, **values}.items() if name not in ranges},
    )


def searched(stage: str, name: str, given: GivenRange) -> Searched | str:
    """The range that is given, or the fixed value as text."""
    limits = STAGES[stage].get(name)
    if limits is None:
        raise RunRefused(
            f"In {SEARCH_SPACE_FILE}, {stage} can't have {name[:NAME_SHOWN]!r}, but only {', '.join(STAGES[stage])}."
        )
    if not all(map(limits.allow, given.numbers())):
        raise RunRefused(f"In {SEARCH_SPACE_FILE}, {stage}.{name} must be within {limits}.")
    if given.value is not None:
        return str(limits.read(given.value))
    if given.values:
        return Choice(tuple(dict.fromkeys(str(limits.read(number)) for number in given.values)))
    return between(f"In {SEARCH_SPACE_FILE}, {stage}.{name}", limits, given)


def between(title: str, limits: Limits, given: GivenRange) -> Searched | str:
    """The range from `low` to `high`, or the one value that it holds."""
    assert given.low is not None
    assert given.high is not None
    if given.low > given.high:
        raise RunRefused(f"{title} must have a low of at most its high.")
    if given.logarithmic and given.low <= 0:
        raise RunRefused(f'{title} must have a low above 0 if its scale is "log".')
    if given.low == given.high:
        return str(limits.read(given.low))
    if limits.whole:
        return Integer(int(given.low), int(given.high), given.logarithmic)
    return Continuous(float(given.low), float(given.high), given.logarithmic)
