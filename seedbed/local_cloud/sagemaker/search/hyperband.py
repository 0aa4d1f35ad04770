"""Hyperband: which training jobs are worth more of the resource, an epoch being one report of the objective.

Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (2018), in the asynchronous form of
Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020): jobs are stopped rather than paused, and of
Hyperband's brackets there is only the one that chooses earliest, which does as well for less.
"""

import threading
from collections.abc import Mapping, Sequence

from ..errors import Invalid
from ..kinds import Body

ETA = 4
MOST_RESOURCE = 20_000
# The static hyperparameters that tell the maximum where MaxResource is left out, first come first served.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


class Hyperband:
    """Decides at each report whether a training job is stopped.

    minimum, maximum: the resource, in reports of the objective, that a job gets at least and at most.

    The rungs are at minimum, minimum·η, minimum·η², … below the maximum. A job that comes to a rung goes on if it is
    among the best 1/η of the jobs that have come there so far; the first one always does. Decisions depend on the
    values and their order alone.
    """

    def __init__(self, minimum: int, maximum: int, maximize: bool) -> None:
        self._maximum = maximum
        self._sign = 1.0 if maximize else -1.0
        self.rungs: list[int] = []
        rung = minimum
        while rung < maximum:
            self.rungs.append(rung)
            rung *= ETA
        self._values: dict[int, dict[int, float]] = {rung: {} for rung in self.rungs}
        self._lock = threading.Lock()

    def should_stop(self, number: int, series: Sequence[float]) -> bool:
        """Whether the job is over after its newest report. series: its objective, one value a report."""
        if len(series) > self._maximum:
            return True
        self.ended(number, series)
        if len(series) not in self.rungs:
            return False
        with self._lock:
            there = self._values[len(series)]
            better = sum(self._sign * value > self._sign * series[-1] for value in there.values())
            return better >= max(1, len(there) // ETA)

    def ended(self, number: int, series: Sequence[float]) -> None:
        """Takes in how a job did, as far as it came."""
        with self._lock:
            for rung in self.rungs:
                if rung <= len(series):
                    self._values[rung][number] = series[rung - 1]


def resource_bounds(config: Body, static: Mapping[str, str]) -> tuple[int, int]:
    """The least and the most that a training job gets. Raises Invalid where nothing tells, or it can't be.

    config: a HyperParameterTuningJobConfig. static: a definition's StaticHyperParameters.
    """
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    named = next((name for name in EPOCHS if name in static), "")
    text = given.get("MaxResource", static.get(named, ""))
    if text == "":
        raise Invalid(
            "HyperbandStrategyConfig needs a MaxResource, or StaticHyperParameters one of " + ", ".join(EPOCHS) + "."
        )
    if not str(text).isdecimal() or not 1 <= int(text) <= MOST_RESOURCE:
        source = "MaxResource" if "MaxResource" in given else f"The static hyperparameter '{named}'"
        raise Invalid(f"{source} must be a whole number from 1 to {MOST_RESOURCE}, but it is '{text}'.")
    least = given.get("MinResource", 1)
    if least > int(text):
        raise Invalid(f"MinResource {least} can't be greater than MaxResource {text}.")
    return least, int(text)
