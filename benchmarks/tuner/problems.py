"""What the contestants search: a table or a function, one trial at a time or in one of several harder ways."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from . import tables
from .functions import FUNCTIONS

TRIALS = 40
LUCKLESS = 0.1  # the share of trials that fail wherever they are
BARREN = 0.1  # the share of a table's combinations, the worst ones, that always fail


class Trial(NamedTuple):
    """score: None if the trial failed. seconds: the processor time that its suggestion took."""

    values: dict[str, Any]
    score: float | None
    seconds: float = 0.0


class Kind(NamedTuple):
    """How a source is searched. at_once: how many trials are asked for before the first of them is told."""

    at_once: int = 1
    noisy: bool = False
    failing: bool = False
    trials: int = TRIALS


LONG = "long"
KINDS = {
    "": Kind(),
    "4 at a time": Kind(at_once=4),
    "10 at a time": Kind(at_once=10),
    "noisy": Kind(noisy=True),
    "failing": Kind(failing=True),
    LONG: Kind(trials=210),
}


class Source(Protocol):
    """Something to search, whose scores are the better the higher."""

    @property
    def ranges(self) -> dict[str, Any]: ...

    def score(self, values: dict[str, Any]) -> float: ...

    def regret(self, score: float) -> float: ...


@dataclass(frozen=True)
class Problem:
    """One search: of what, how, and with which seed. name: `source` or `kind: source`."""

    name: str
    seed: int

    @property
    def kind(self) -> Kind:
        return KINDS[split(self.name)[0]]

    @cached_property
    def source(self) -> Source:
        source = split(self.name)[1]
        return FUNCTIONS[source] if source in FUNCTIONS else tables.load(source)

    def tell(self, number: int, values: dict[str, Any]) -> float | None:
        """What a contestant hears of its trial `number`: the same luck for all contestants. None: the trial failed."""
        luck = random.Random(f"{self.name}/{self.seed}/{number}")  # noqa: S311  no secret
        if self.kind.noisy:
            return _table(self.source).repetition(values, luck)
        score = self.source.score(values)
        if self.kind.failing and (luck.random() < LUCKLESS or score < _table(self.source).quantile(BARREN)):
            return None
        return score

    def regret(self, trials: Sequence[Trial]) -> float:
        """The regret of the trial with the best score heard, by its mean score. All must not have failed."""
        best = max((trial for trial in trials if trial.score is not None), key=lambda trial: trial.score or -np.inf)
        return self.source.regret(self.source.score(best.values))


def split(name: str) -> tuple[str, str]:
    """The kind and the source of a problem's name."""
    kind, _, source = name.rpartition(": ")
    return kind, source


def named(kind: str, source: str) -> str:
    return f"{kind}: {source}" if kind else source


def _table(source: Source) -> tables.Table:
    if not isinstance(source, tables.Table):
        raise TypeError("only tables have repetitions and quantiles")
    return source
