"""The search strategies: which hyperparameters a tuning job tries next."""

import hashlib
import math
import random
from collections.abc import Mapping

import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState, create_trial

from .bayesian import PARENT, BayesianSampler
from .ranges import Range

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Search:
    """One definition's search: `ask` returns hyperparameters as text, `tell` takes their objective.

    Each trial's choice is seeded by the job's seed and the trial's number, so a restarted endpoint continues with the
    same choices. No combination is tried twice before every other one was tried. Bayesian treats running trials as if
    they scored as predicted, which keeps parallel ones apart. Random and Hyperband draw at random; Hyperband also stops
    jobs, see `hyperband`. Grid tries the combinations in order.
    """

    def __init__(self, ranges: list[Range], strategy: str, maximize: bool, seed: int) -> None:
        self._ranges = ranges
        self._distributions = {item.name: item.distribution for item in ranges}
        self._strategy = strategy
        self._seed = seed
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize")
        self._trials: dict[int, int] = {}
        self._tried: set[tuple[str, ...]] = set()
        self._next = 0

    @property
    def exhausted(self) -> bool:
        """Whether every combination has been tried; never with a continuous range."""
        return len(self._tried) >= combinations(self._ranges)

    def ask(self, number: int) -> dict[str, str]:
        """The hyperparameters of trial `number`. Don't call it when Grid is exhausted."""
        if self._strategy == "Grid":
            values = self._next_untried()
            self.resume(number, values)
            return values
        self._study.sampler = self._sampler(number)
        trial = self._study.ask(self._distributions)
        self._trials[number] = trial.number
        values = {item.name: item.text(trial.params[item.name]) for item in self._ranges}
        if tuple(values.values()) in self._tried and not self.exhausted:
            self._study.tell(trial, state=TrialState.FAIL)
            values = self._random_untried(number)
            self.resume(number, values)
        self._tried.add(tuple(values.values()))
        return values

    def tell(self, number: int, objective: float | None) -> None:
        """Takes the objective of an asked or resumed trial, or None if it has none."""
        if objective is None:
            self._study.tell(self._trials[number], state=TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], objective)

    def resume(self, number: int, values: Mapping[str, str]) -> None:
        """Adds a trial that was asked for before the endpoint's last start."""
        self._trials[number] = len(self._study.get_trials(deepcopy=False))
        self._tried.add(tuple(values[item.name] for item in self._ranges))
        params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))

    def add_prior(self, values: Mapping[str, str], objective: float, parent: str = "") -> bool:
        """Adds a finished trial of another job; returns False instead if its values are outside this search.

        parent: the job's name if its objectives aren't comparable: it had other data or another algorithm.
        """
        try:
            params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        except (KeyError, ValueError):
            return False
        attributes = {PARENT: parent} if parent else {}
        self._study.add_trial(
            create_trial(params=params, distributions=self._distributions, value=objective, user_attrs=attributes)
        )
        return True

    def _sampler(self, number: int) -> BaseSampler:
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        if self._strategy == "Bayesian":
            return BayesianSampler(self._distributions, seed)
        return RandomSampler(seed=seed)

    def _next_untried(self) -> dict[str, str]:
        while True:
            values = self._combination(self._next)
            self._next += 1
            if tuple(values.values()) not in self._tried:
                return values

    def _random_untried(self, number: int) -> dict[str, str]:
        draw = random.Random(f"{self._seed}/{number}")  # noqa: S311  no secret
        while True:
            values = self._combination(draw.randrange(int(combinations(self._ranges))))
            if tuple(values.values()) not in self._tried:
                return values

    def _combination(self, index: int) -> dict[str, str]:
        """One of a finite number of combinations, by its index from 0; the last range changes fastest."""
        values = {}
        for item in reversed(self._ranges):
            index, rest = divmod(index, int(item.size))
            values[item.name] = item.value(rest)
        return {item.name: values[item.name] for item in self._ranges}


def combinations(ranges: list[Range]) -> float:
    """How many combinations of values there are; infinity with a continuous range."""
    return math.prod(item.size for item in ranges)
