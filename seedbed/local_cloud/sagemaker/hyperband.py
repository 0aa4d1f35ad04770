"""Hyperband: which training jobs are worth more of the resource, an epoch being one report of the objective.

Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (2018), with the asynchronous
decisions of Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), in the form that stops jobs
rather than pausing them.
"""

import math
import threading
from collections.abc import Mapping, Sequence

from .errors import Invalid
from .kinds import Body

ETA = 3
MOST_RESOURCE = 20_000
# The static hyperparameters that tell the maximum where MaxResource is left out, first come first served.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


class Hyperband:
    """Decides at each report whether a training job is stopped.

    minimum, maximum: the resource, in reports of the objective, that a job gets at least and at most.

    Bracket b has its rungs at minimum·η^b, minimum·η^(b+1), … below the maximum. A job that comes to a rung goes on if
    it is among the best 1/η of the bracket's jobs that have come there so far; the first one always does. The first
    bracket begins to choose at once and gets the most jobs, the last one chooses latest and gets the fewest, so that
    each has about the same share of the resource. Hyperband's one bracket more, in which nobody is judged, is left out:
    it is a random search. Decisions depend on the values and their order alone.
    """

    def __init__(self, minimum: int, maximum: int, maximize: bool) -> None:
        self._maximum = maximum
        self._sign = 1.0 if maximize else -1.0
        depth = 0
        while minimum * ETA ** (depth + 1) <= maximum:
            depth += 1
        brackets = [
            [rung for power in range(first, depth + 1) if (rung := minimum * ETA**power) < maximum]
            for first in range(depth + 1)
        ]
        self._brackets = [rungs for rungs in brackets if rungs] or [[]]
        shares = [math.ceil((depth + 1) * ETA**left / (left + 1)) for left in range(depth, -1, -1)]
        self._order = _spread(shares[: len(self._brackets)])
        self._values: dict[tuple[int, int], dict[int, float]] = {}
        self._lock = threading.Lock()

    def bracket(self, number: int) -> int:
        """The bracket of the training job with this number, counted from 1."""
        return self._order[(number - 1) % len(self._order)]

    def rungs(self, number: int) -> list[int]:
        """Where the job with this number is judged: how many reports it has made then."""
        return self._brackets[self.bracket(number)]

    def should_stop(self, number: int, series: Sequence[float]) -> bool:
        """Whether the job is over after its newest report. series: its objective, one value a report."""
        if len(series) > self._maximum:
            return True
        self.ended(number, series)
        if len(series) not in self.rungs(number):
            return False
        with self._lock:
            there = self._values[self.bracket(number), len(series)]
            better = sum(self._sign * value > self._sign * series[-1] for value in there.values())
            return better >= max(1, len(there) // ETA)

    def ended(self, number: int, series: Sequence[float]) -> None:
        """Takes in how a job did, as far as it came."""
        with self._lock:
            for rung in self.rungs(number):
                if rung <= len(series):
                    self._values.setdefault((self.bracket(number), rung), {})[number] = series[rung - 1]


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


def _spread(shares: list[int]) -> list[int]:
    """Indices, each as often as its share, mixed as evenly as can be."""
    places = [((step + 0.5) / share, index) for index, share in enumerate(shares) for step in range(share)]
    return [index for _, index in sorted(places)]
