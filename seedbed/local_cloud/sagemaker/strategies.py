"""What to try next. Optuna does the mathematics; this says it in a tuning job's terms."""

import hashlib
import warnings
from collections.abc import Mapping

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState, create_trial

from .ranges import Range

RANDOM_STARTS = 3

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Search:
    """One tuning job's search: hyperparameters as text go out, objectives come back.

    Each trial's draw is seeded by the job's seed and the trial's number: a restarted endpoint goes on as it would have.
    Trials that still run count for the Bayesian strategy as if they did badly, which keeps parallel ones apart.
    """

    def __init__(self, ranges: list[Range], strategy: str, maximize: bool, seed: int) -> None:
        self._ranges = ranges
        self._distributions = {item.name: item.distribution for item in ranges}
        self._strategy = strategy
        self._seed = seed
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize")
        self._trials: dict[int, int] = {}

    def ask(self, number: int) -> dict[str, str]:
        """The hyperparameters of trial `number`."""
        self._study.sampler = self._sampler(number)
        trial = self._study.ask(self._distributions)
        self._trials[number] = trial.number
        return {item.name: item.text(trial.params[item.name]) for item in self._ranges}

    def tell(self, number: int, objective: float | None) -> None:
        """The result of a trial that was asked for or resumed; None where it gave none."""
        if objective is None:
            self._study.tell(self._trials[number], state=TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], objective)

    def resume(self, number: int, values: Mapping[str, str]) -> None:
        """A trial that was asked for before the endpoint's last start."""
        self._trials[number] = len(self._study.trials)
        params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))

    def add_prior(self, values: Mapping[str, str], objective: float) -> bool:
        """A finished trial of another job. False, and left out, where its values are no choice of this search."""
        try:
            params = {item.name: item.choice(values[item.name]) for item in self._ranges}
        except (KeyError, ValueError):
            return False
        self._study.add_trial(create_trial(params=params, distributions=self._distributions, value=objective))
        return True

    def _sampler(self, number: int) -> BaseSampler:
        digest = hashlib.sha256(f"{self._seed}/{number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        if self._strategy == "Random":
            return RandomSampler(seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return TPESampler(n_startup_trials=RANDOM_STARTS, multivariate=True, constant_liar=True, seed=seed)
