"""The hyperparameters that trials may vary; a test checks the names against `training_container`."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Continuous:
    """A real number from `low` to `high`."""

    low: float
    high: float
    logarithmic: bool = False


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    low: int
    high: int
    logarithmic: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several texts."""

    values: tuple[str, ...]


Searched = Continuous | Integer | Choice
SearchSpace = Mapping[str, Searched]

# Tuning trains heads on cached features, in seconds each: a job starts longer than that, so it trains several, the one
# with the values that AMT chose and variations of it. `heads` is how many, which a plan says, and `varied` what may
# vary between them: a job gets the limits of its search space.
SEARCH_SPACE: SearchSpace = {
    "learning_rate": Continuous(5e-4, 1e-2, logarithmic=True),
    "epochs": Integer(16, 24),
    "batch_size": Integer(48, 192, logarithmic=True),
    "augmentation": Continuous(0.6, 0.9),
    "dropout": Continuous(0.05, 0.6),
    "weight_decay": Continuous(0.1, 10.0, logarithmic=True),
}

LIMITS_OF_HEADS = "varied"

FIXED_HYPERPARAMETERS = {"kind": "head", "hidden_units": "0", "seed": "1", "heads": "1", LIMITS_OF_HEADS: ""}

# Fine-tuning trains the whole network, in minutes to an hour each; backbone and epochs come from the run.
FINE_TUNING_SEARCH_SPACE: SearchSpace = {
    "learning_rate": Continuous(1.5e-4, 4e-4, logarithmic=True),
    "batch_size": Integer(24, 48, logarithmic=True),
    "augmentation": Continuous(0.5, 0.9),
    "seed": Integer(1, 1000),
}

FIXED_FINE_TUNING_HYPERPARAMETERS = {"kind": "fine-tune"}

EPOCHS_SPREAD = 4

OBJECTIVE_METRIC = "validation_accuracy"

METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


def with_epochs(space: SearchSpace, fixed: Mapping[str, str], epochs: int) -> tuple[SearchSpace, Mapping[str, str]]:
    """The search space and the fixed values, with the epochs in one of them.

    If neither has any yet, they are searched from 3/4 to 5/4 of `epochs`.
    """
    if "epochs" in {**space, **fixed}:
        return space, fixed
    spread = epochs // EPOCHS_SPREAD
    if not spread:
        return space, {**fixed, "epochs": str(epochs)}
    return {**space, "epochs": Integer(epochs - spread, epochs + spread)}, fixed


def heads_of_a_job(space: SearchSpace, fixed: Mapping[str, str], heads: int) -> Mapping[str, str]:
    """The fixed values of a job that trains so many heads. They vary only what is searched, within its range.

    What is searched by choices stays as it was chosen. Plans of older runs have no `varied`, as their trainer has none.
    """
    limits = {name: [of.low, of.high] for name, of in space.items() if not isinstance(of, Choice)}
    varied = {LIMITS_OF_HEADS: json.dumps(limits, sort_keys=True)} if LIMITS_OF_HEADS in fixed else {}
    return {**fixed, "heads": str(heads), **varied}


def as_text(space: SearchSpace, fixed: Mapping[str, str]) -> str:
    """The search space and the fixed values, as JSON. A run keeps it: a later release may search another space."""
    return json.dumps([{name: asdict(values) for name, values in space.items()}, fixed], sort_keys=True)


def from_text(text: str) -> tuple[SearchSpace, Mapping[str, str]]:
    """The search space and the fixed values of which `text` was made."""
    space, fixed = json.loads(text)
    return {name: read_range(values) for name, values in space.items()}, fixed


def read_range(values: Mapping[str, Any]) -> Searched:
    """A range, which its numbers tell: those of an Integer are whole."""
    if "values" in values:
        return Choice(tuple(values["values"]))
    whole = isinstance(values["low"], int) and isinstance(values["high"], int)
    return (Integer if whole else Continuous)(**values)


def combinations(space: SearchSpace) -> float:
    """How many sets of values there are to try; infinite with a continuous range."""
    return math.prod(map(choices, space.values()))


def choices(of: Searched) -> float:
    """How many values a range has."""
    if isinstance(of, Choice):
        return len(of.values)
    return of.high - of.low + 1 if isinstance(of, Integer) else math.inf


def epochs_of(text: str, otherwise: int) -> float:
    """The epochs that a trial trains for on average; `otherwise` if the search space and fixed values have none."""
    space, fixed = from_text(text)
    of = space.get("epochs", fixed.get("epochs", str(otherwise)))
    if isinstance(of, str):
        return int(of)
    return sum(map(int, of.values)) / len(of.values) if isinstance(of, Choice) else (of.low + of.high) / 2
