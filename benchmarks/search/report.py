"""The page: what each search chose by validation, scored on the test split, beside the middle of the narrow ranges."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .campaign import BAYESIAN, MIDDLE, QUICK, QUICK_HEADS, QUICK_JOBS, RANDOM, WARM, Results, Task, Tried
from .data_sets import MAKERS
from .spaces import NARROW, SPACES
from .trial import Outcome

HEAD = """\
# What a search is worth
Written by `make bench-search IMAGES=folder`: {sets} data sets, one head a trial, features as the quick plan has them.
Searches of each kind, each with another seed: {seeds} at most; what has not been finished yet is left out. A search is
the local endpoint's own, asked as AMT is: one trial at a time, with the objective `validation_accuracy`. The best
trial by it is scored on the test split, which no search saw: on the images as they are (*test*), and on two copies of
each, changed at random as training images are (*changed*). Both are accuracies in percent.

*Middle* is one head with the middle of the narrow ranges, and no search. The trials of *quick plan* are jobs of {heads}
heads, of which a job takes the mean. Behind ± is the standard error: over data sets where the mean is theirs, else over
searches, if there are several. Losses are in nats, and of the images as they are.
"""


Kind = tuple[str, str]
"""A contestant and its ranges."""
ROWS: list[tuple[Kind, int]] = [
    ((QUICK, "narrow"), QUICK_JOBS),
    ((QUICK, "usual"), QUICK_JOBS),
    ((BAYESIAN, "narrow"), 8),
    ((RANDOM, "usual"), 8),
    ((BAYESIAN, "usual"), 8),
    ((WARM, "usual"), 8),
    ((BAYESIAN, "narrow"), 20),
    ((RANDOM, "usual"), 20),
    ((BAYESIAN, "usual"), 20),
]


class Cell(NamedTuple):
    """A search's choices, one for each seed."""

    outcomes: list[Outcome]

    def of(self, what: Callable[[Outcome], float]) -> list[float]:
        return [what(outcome) for outcome in self.outcomes]


def page(results: Results, data_sets: Sequence[str]) -> str:
    """The whole page, from all searches that have been finished."""
    found = [name for name in data_sets if any(task.data == name for task in results)]
    seeds = max(task.seed for task in results) + 1
    parts = [
        HEAD.format(sets=len(found), seeds=seeds, heads=QUICK_HEADS),
        _ranges(),
        _data(results, found),
        _summary(results, found),
    ]
    return "\n".join([*parts, *(_of_one(results, name) for name in found)])


def best(tried: Sequence[Tried], after: int) -> Outcome:
    """The best of the first trials by validation accuracy, the lower loss deciding between equal ones."""
    outcomes = [one.outcome for one in tried[:after]]
    return max(outcomes, key=lambda outcome: (outcome.validation_accuracy, -outcome.validation_loss))


def chosen(results: Results, data: str, kind: Kind, after: int) -> Cell:
    """What the searches of a kind, a contestant and its ranges, chose on a data set."""
    same = [task for task in results if task.data == data and (task.contestant, task.ranges) == kind]
    full = [task for task in same if len(results[task]) >= after or task.contestant == MIDDLE]
    return Cell([best(results[task], after) for task in sorted(full, key=_seed)])


MEASURES: dict[str, Callable[[Outcome], float]] = {
    "test": lambda outcome: 100 * outcome.test_accuracy,
    "changed": lambda outcome: 100 * outcome.changed_accuracy,
    "test loss": lambda outcome: outcome.test_loss,
}


def _seed(task: Task) -> int:
    return task.seed


def _ranges() -> str:
    lines = ["## The ranges", "| hyperparameter | narrow | usual |", "|---|---|---|"]
    for name in {**NARROW, **SPACES["usual"]}:
        cells = [_range(SPACES[space].get(name)) for space in SPACES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _range(of: object) -> str:
    low, high = getattr(of, "low", None), getattr(of, "high", None)
    return f"{low:g} to {high:g}{', log' if getattr(of, 'logarithmic', False) else ''}" if low is not None else ""


def _data(results: Results, found: Sequence[str]) -> str:
    lines = ["## The data sets", "| data set | what | middle: test | changed | test loss | seconds a head |"]
    lines.append("|---|---|---|---|---|---|")
    for name in found:
        middle = chosen(results, name, (MIDDLE, "narrow"), 1)
        cells = [_mean(middle.of(measure), name_) for name_, measure in MEASURES.items()]
        seconds = [
            one.outcome.seconds / task.heads for task, tried in results.items() if task.data == name for one in tried
        ]
        what = (MAKERS[name].__doc__ or "").rstrip(".")
        lines.append(f"| {name} | {what} | {' | '.join(cells)} | {np.median(seconds):.1f} |")
    return "\n".join([*lines, ""])


def _summary(results: Results, found: Sequence[str]) -> str:
    """The differences from the middle of the narrow ranges, as the mean over the data sets."""
    lines = ["## Mean over the data sets, less the middle of the narrow ranges"]
    lines += ["| search | ranges | trials | data sets | test | changed | test loss |", "|---|---|---|---|---|---|---|"]
    for kind, after in ROWS:
        names = [name for name in found if chosen(results, name, kind, after).outcomes]
        if names:
            cells = [_difference(results, names, kind, after, measure) for measure in MEASURES]
            lines.append(f"| {kind[0]} | {kind[1]} | {after} | {len(names)} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _difference(results: Results, names: Sequence[str], kind: Kind, after: int, measure: str) -> str:
    gains = []
    for name in names:
        ours = chosen(results, name, kind, after).of(MEASURES[measure])
        theirs = chosen(results, name, (MIDDLE, "narrow"), 1).of(MEASURES[measure])
        gains.append(float(np.mean(ours) - np.mean(theirs)))
    return f"{np.mean(gains):+.{_digits(measure)}f} ± {np.sqrt(_variance(gains)):.{_digits(measure)}f}"


def _of_one(results: Results, name: str) -> str:
    lines = [f"## {name}", "| search | ranges | trials | validation | test | changed | test loss |"]
    lines.append("|---|---|---|---|---|---|---|")
    for kind, after in [((MIDDLE, "narrow"), 1), *ROWS]:
        cell = chosen(results, name, kind, after)
        if cell.outcomes:
            cells = [_mean(cell.of(lambda outcome: 100 * outcome.validation_accuracy), "test")]
            cells += [_mean(cell.of(measure), title) for title, measure in MEASURES.items()]
            lines.append(f"| {kind[0]} | {kind[1]} | {after} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _mean(values: Sequence[float], measure: str) -> str:
    digits = _digits(measure)
    error = f" ± {np.sqrt(_variance(values)):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{error}"


def _variance(values: Sequence[float]) -> float:
    """Of the mean."""
    return float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.0


def _digits(measure: str) -> int:
    return 3 if measure.endswith("loss") else 1
