"""Hyperband: which training jobs get more of the resource. One report of the objective counts as one epoch.

Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (2018), in the asynchronous form of
Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020): jobs are stopped rather than paused. Only the
bracket that stops jobs earliest is used, which finds equally good results with fewer epochs.
"""

import threading
from collections.abc import Mapping, Sequence

from ..errors import Invalid
from ..kinds import Body

ETA = 4
MAX_RESOURCE = 20_000
# Without MaxResource, the first of these static hyperparameters that there is gives the maximum.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


class Hyperband:
    """Decides at each report whether a training job is stopped.

    minimum, maximum: how many reports of the objective a job makes at least and at most.

    The rungs are at minimum, minimum·η, minimum·η², … below the maximum. A job that reaches a rung continues if it is
    among the best 1/η of the jobs that have reached it so far; the first job always continues. Decisions depend only on
    the values and their order.
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
        """Whether to stop the job after its latest report. series: its objective, one value for each report."""
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
        """Takes in the series of a job, ended or not."""
        with self._lock:
            for rung in self.rungs:
                if rung <= len(series):
                    self._values[rung][number] = series[rung - 1]


def resource_bounds(config: Body, static: Mapping[str, str]) -> tuple[int, int]:
    """(minimum, maximum) of a training job's resource. Raises Invalid if no setting gives them or they are wrong.

    config: a HyperParameterTuningJobConfig. static: a definition's StaticHyperParameters.
    """
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    named = next((name for name in EPOCHS if name in static), "")
    text = given.get("MaxResource", static.get(named, ""))
    if text == "":
        raise Invalid(
            "HyperbandStrategyConfig needs a MaxResource, or StaticHyperParameters one of " + ", ".join(EPOCHS) + "."
        )
    if not str(text).isdecimal() or not 1 <= int(text) <= MAX_RESOURCE:
        source = "MaxResource" if "MaxResource" in given else f"The static hyperparameter '{named}'"
        raise Invalid(f"{source} must be a whole number from 1 to {MAX_RESOURCE}, but it is '{text}'.")
    least = given.get("MinResource", 1)
    if least > int(text):
        raise Invalid(f"MinResource {least} can't be greater than MaxResource {text}.")
    return least, int(text)
