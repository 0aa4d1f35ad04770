"""The median rule: whether a training job does worse than the earlier ones did at the same epoch."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median

EARLIER_JOBS = 3


class MedianRule:
    """The early stopping that TrainingJobEarlyStoppingType Auto asks for."""

    def __init__(self, maximize: bool) -> None:
        self._maximize = maximize
        self._series: dict[int, Sequence[float]] = {}

    def should_stop(self, number: int, series: Sequence[float]) -> bool:
        """Whether the job is hopeless after its newest report. series: its objective, one value an epoch."""
        earlier = [values for other, values in list(self._series.items()) if other != number]
        return should_stop(series, earlier, self._maximize)

    def ended(self, number: int, series: Sequence[float]) -> None:
        """Takes in the whole of a job that has ended."""
        self._series[number] = series


def should_stop(series: Sequence[float], earlier: Iterable[Sequence[float]], maximize: bool) -> bool:
    """True where the newest value is worse than the median of the earlier jobs' running averages up to the same epoch.

    series: the running job's objective, one value an epoch. earlier: those of the jobs that have ended; the ones that
    never came so far don't count, and fewer than three tell nothing.
    """
    epoch = len(series)
    averages = [fmean(values[:epoch]) for values in earlier if len(values) >= epoch > 0]
    if len(averages) < EARLIER_JOBS:
        return False
    middle = median(averages)
    return series[-1] < middle if maximize else series[-1] > middle
