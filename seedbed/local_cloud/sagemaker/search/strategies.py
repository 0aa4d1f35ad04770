"""What to try next, in a tuning job's terms. The samplers do the mathematics."""

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
    """One tuning job's search: hyperparameters as text go out, objectives come back.

    Each trial's draw is seeded by the job's seed and the trial's number: a restarted endpoint goes on as it would have.
    Trials that still run count for the Bayesian strategy as if they did as predicted, which keeps parallel ones apart.
    No combination is given out twice before every other one was. Hyperband draws at random, as Random does: what it
    adds is when a job is stopped, which is `hyperband`'s business. Grid goes through the combinations in their order.
    """

    def __init__(self, ranges: list[Range], strategy: str, maximize: bool, seed: int) -> None:
        self._ranges = ranges
        self._distributions = {item.name: item.distribution for item in ranges}
        self._strategy = strategy
        self._seed = seed
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize")
        self._trials: dict[int, int] = {}
        self._given: set[tuple[str, ...]] = set()
        self._next = 0

    @property
    def exhausted(self) -> bool:
        """Whether every combination there is has been given out; never so with a continuous range."""
        return len(self._given) >= combinations(self._ranges)

    def ask(self, number: int) -> dict[str, str]:
        """The hyperparameters of trial `number`. Grid must not be asked when it is exhausted."""
        if self._strategy == "Grid":
            values = self._in_order()
            self.resume(number, values)
            return values
        self._study.sampler = self._sampler(number)
        trial = self._study.ask(self._distributions)
        self._trials[number] = trial.number
        values = {item.name: item.text(trial.params[item.name]) for item in self._ranges}
        if tuple(values.values()) in self._given and not self.exhausted:
            self._study.tell(trial, state=TrialState.FAIL)
            values = self._not_given_yet(number)
            self.resume(number, values)
        self._given.add(tuple(values.values()))
        return values

    def tell(self, number: int, objective: float | None) -> None:
        """The result of a trial that was asked for or resumed; None where it gave none."""
        if objective is None:
            self._study.tell(self._trials[number], state=TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], objective)

    def resume(self, number: int, values: Mapping[str, str]) -> None:
        """A trial that was asked for before the endpoint's last start."""
        self._trials[number] = len(self._study.get_trials(deepcopy=False))
        self._given.add(tuple(values[item.name] for item in self._ranges))
        params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))

    def add_prior(self, values: Mapping[str, str], objective: float, parent: str = "") -> bool:
        """A finished trial of another job. False, and left out, where its values are no choice of this search.

        parent: the job's name where it had other data or another algorithm; its objectives aren't comparable then.
        """
        try:
            params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        except (KeyError, ValueError):
            return False
        whose = {PARENT: parent} if parent else {}
        self._study.add_trial(
            create_trial(params=params, distributions=self._distributions, value=objective, user_attrs=whose)
        )
        return True

    def _sampler(self, number: int) -> BaseSampler:
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        if self._strategy == "Bayesian":
            return BayesianSampler(self._distributions, seed)
        return RandomSampler(seed=seed)

    def _in_order(self) -> dict[str, str]:
        while True:
            values = self._combination(self._next)
            self._next += 1
            if tuple(values.values()) not in self._given:
                return values

    def _not_given_yet(self, number: int) -> dict[str, str]:
        draw = random.Random(f"{self._seed}/{number}")  # noqa: S311  no secret
        while True:
            values = self._combination(draw.randrange(int(combinations(self._ranges))))
            if tuple(values.values()) not in self._given:
                return values

    def _combination(self, place: int) -> dict[str, str]:
        """One of the finitely many, counted from 0; the last range changes fastest."""
        values = {}
        for item in reversed(self._ranges):
            place, rest = divmod(place, int(item.size))
            values[item.name] = item.value(rest)
        return {item.name: values[item.name] for item in self._ranges}


def combinations(ranges: list[Range]) -> float:
    """How many combinations of values there are: infinity with a continuous range."""
    return math.prod(item.size for item in ranges)
