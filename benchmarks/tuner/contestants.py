"""The contestants of the benchmark: each suggests trials, and gets their scores."""

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from seedbed.local_cloud.sagemaker.search.ranges import Range, read_ranges
from seedbed.local_cloud.sagemaker.search.strategies import Search

from .elsewhere import AX, HEBO, SMAC, Elsewhere, Place
from .problems import Problem, Trial


class Contestant(Protocol):
    """A search of one problem, as ask and tell: the scores are of the trials asked for last, None for a failed one."""

    def ask(self, count: int) -> list[dict[str, Any]]: ...

    def tell(self, scores: list[float | None]) -> None: ...


class Ours:
    """The endpoint's own search, used as in its tuning loop."""

    def __init__(self, problem: Problem, strategy: str, parents: Sequence[tuple[str, list[Trial]]] = ()) -> None:
        self._search = Search(read_ranges(problem.source.ranges), strategy, maximize=True, seed=problem.seed)
        for parent, trials in parents:
            for trial in trials:
                if trial.score is not None:
                    self._search.add_prior(trial.values, trial.score, parent)
        self._asked = range(1, 1)

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked = range(self._asked.stop, self._asked.stop + count)
        return [dict(self._search.ask(number)) for number in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        for number, score in zip(self._asked, scores, strict=True):
            self._search.tell(number, score)


class Optuna:
    """A sampler of Optuna, on the same ranges."""

    def __init__(self, problem: Problem, sampler: BaseSampler) -> None:
        self._distributions = {item.name: item.distribution for item in read_ranges(problem.source.ranges)}
        self._study = optuna.create_study(direction="maximize", sampler=sampler)

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked = [self._study.ask(self._distributions) for _ in range(count)]
        return [dict(trial.params) for trial in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._study.tell(trial, score)


class KerasTuner:
    """The oracle of KerasTuner's BayesianOptimization, on the same ranges."""

    def __init__(self, problem: Problem) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras_tuner  # noqa: PLC0415  takes seconds, and loads TensorFlow
        import sklearn  # noqa: PLC0415

        # Otherwise half of its time goes into these checks.
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        space = keras_tuner.HyperParameters()
        for item in read_ranges(problem.source.ranges):
            _add(space, item)
        self._oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=keras_tuner.Objective("score", "max"),
            max_trials=10_000,
            hyperparameters=space,
            seed=problem.seed + 1,
            max_consecutive_failed_trials=10_000,
        )
        self._oracle.verbose = 0
        self._folder = tempfile.TemporaryDirectory()
        self._oracle._set_project_dir(self._folder.name, "search")

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked = [self._oracle.create_trial(f"tuner {number}") for number in range(count)]
        return [dict(trial.hyperparameters.values) for trial in self._asked]

    def tell(self, scores: list[float | None]) -> None:
        for trial, score in zip(self._asked, scores, strict=True):
            if score is not None:
                self._oracle.update_trial(trial.trial_id, {"score": score})
            trial.status = "FAILED" if score is None else "COMPLETED"
            self._oracle.end_trial(trial)


def _add(space: Any, item: Range) -> None:
    found = item.distribution
    if isinstance(found, CategoricalDistribution):
        space.Choice(item.name, list(found.choices))
        return
    add = space.Float if isinstance(found, FloatDistribution) else space.Int
    add(item.name, found.low, found.high, sampling="log" if found.log else "linear")


def _elsewhere(problem: Problem, place: Place) -> Elsewhere:
    kind = problem.kind
    return Elsewhere(place, problem.source.ranges, problem.seed, kind.trials, kind.noisy)


# The cheapest first.
COLD: dict[str, Callable[[Problem], Contestant]] = {
    "random": lambda problem: Optuna(problem, RandomSampler(seed=problem.seed)),
    "Seedbed Random": lambda problem: Ours(problem, "Random"),
    "Seedbed Bayesian": lambda problem: Ours(problem, "Bayesian"),
    "Optuna TPE": lambda problem: Optuna(problem, TPESampler(seed=problem.seed)),
    "Optuna TPE, 3 starts": lambda problem: Optuna(problem, TPESampler(seed=problem.seed, n_startup_trials=3)),
    "Optuna GP": lambda problem: Optuna(problem, GPSampler(seed=problem.seed)),
    "SMAC3": lambda problem: _elsewhere(problem, SMAC),
    "KerasTuner Bayesian": KerasTuner,
    "Ax": lambda problem: _elsewhere(problem, AX),
    "HEBO": lambda problem: _elsewhere(problem, HEBO),
}


def missing() -> list[str]:
    """The contestants whose packages aren't installed here."""
    found = ["Optuna GP"] if importlib.util.find_spec("torch") is None else []
    return found + [
        name for name, place in {"SMAC3": SMAC, "Ax": AX, "HEBO": HEBO}.items() if not place.python.exists()
    ]


def play(contestant: Contestant, problem: Problem, trials: int) -> list[Trial]:
    """Runs trials, and returns them in order with their scores."""
    played: list[Trial] = []
    while len(played) < trials:
        began = time.process_time()
        batch = contestant.ask(min(problem.kind.at_once, trials - len(played)))
        # A peer elsewhere counts its own time.
        seconds = getattr(contestant, "seconds", time.process_time() - began) / len(batch)
        scores = [problem.tell(len(played) + place, values) for place, values in enumerate(batch)]
        contestant.tell(scores)
        played += [Trial(values, score, seconds) for values, score in zip(batch, scores, strict=True)]
    return played
