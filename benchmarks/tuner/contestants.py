"""The contestants of the benchmark: each suggests trials one after the other, and gets their scores."""

import importlib.util
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler

from seedbed.local_cloud.sagemaker.search.ranges import read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

from .tables import Table

Trial = tuple[dict[str, Any], float]


class Contestant(Protocol):
    """A search of one table, as ask and tell."""

    def ask(self) -> dict[str, Any]: ...

    def tell(self, score: float) -> None: ...


class Ours:
    """The endpoint's own search, used as in its tuning loop with one job at a time."""

    def __init__(self, table: Table, seed: int, strategy: str, parents: Sequence[tuple[str, list[Trial]]] = ()) -> None:
        self._search = Search(read_ranges(table.ranges), strategy, maximize=True, seed=seed)
        for parent, trials in parents:
            for values, score in trials:
                self._search.add_prior(values, score, parent)
        self._number = 0

    def ask(self) -> dict[str, str]:
        self._number += 1
        return self._search.ask(self._number)

    def tell(self, score: float) -> None:
        self._search.tell(self._number, score)


class Optuna:
    """A sampler of Optuna, on the same ranges."""

    def __init__(self, table: Table, sampler: BaseSampler) -> None:
        self._distributions = {item.name: item.distribution for item in read_ranges(table.ranges)}
        self._study = optuna.create_study(direction="maximize", sampler=sampler)

    def ask(self) -> dict[str, Any]:
        self._trial = self._study.ask(self._distributions)
        return dict(self._trial.params)

    def tell(self, score: float) -> None:
        self._study.tell(self._trial, score)


class KerasTuner:
    """The oracle of KerasTuner's BayesianOptimization, on the same ranges."""

    def __init__(self, table: Table, seed: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras_tuner  # noqa: PLC0415  takes seconds, and loads TensorFlow
        import sklearn  # noqa: PLC0415

        # Otherwise half of its time goes into these checks.
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        space = keras_tuner.HyperParameters()
        for item in read_ranges(table.ranges):
            if isinstance(item.distribution, CategoricalDistribution):
                space.Choice(item.name, list(item.distribution.choices))
            else:
                space.Int(item.name, item.distribution.low, item.distribution.high)
        objective = keras_tuner.Objective("score", "max")
        self._oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=objective, max_trials=10_000, hyperparameters=space, seed=seed + 1
        )
        self._oracle.verbose = 0
        self._folder = tempfile.TemporaryDirectory()
        self._oracle._set_project_dir(self._folder.name, "search")

    def ask(self) -> dict[str, Any]:
        self._trial = self._oracle.create_trial("tuner")
        return dict(self._trial.hyperparameters.values)

    def tell(self, score: float) -> None:
        self._oracle.update_trial(self._trial.trial_id, {"score": score})
        self._trial.status = "COMPLETED"
        self._oracle.end_trial(self._trial)


COLD: dict[str, Callable[[Table, int], Contestant]] = {
    "random": lambda table, seed: Optuna(table, RandomSampler(seed=seed)),
    "Seedbed Random": lambda table, seed: Ours(table, seed, "Random"),
    "Seedbed Bayesian": lambda table, seed: Ours(table, seed, "Bayesian"),
    "Optuna TPE": lambda table, seed: Optuna(table, TPESampler(seed=seed)),
    "Optuna TPE, 3 starts": lambda table, seed: Optuna(table, TPESampler(seed=seed, n_startup_trials=3)),
    "Optuna GP": lambda table, seed: Optuna(table, GPSampler(seed=seed)),
    "KerasTuner Bayesian": KerasTuner,
}

if importlib.util.find_spec("torch") is None:
    del COLD["Optuna GP"]


def play(contestant: Contestant, table: Table, trials: int) -> list[Trial]:
    """Runs trials, and returns them in order with their scores."""
    played = []
    for _ in range(trials):
        values = contestant.ask()
        score = table.score(values)
        contestant.tell(score)
        played.append((values, score))
    return played
