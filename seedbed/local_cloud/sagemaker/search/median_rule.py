"""The median rule: whether a training job is worse than earlier ones were at the same epoch."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median

EARLIER_JOBS = 3


class MedianRule:
    """The early stopping of TrainingJobEarlyStoppingType Auto."""

    def __init__(self, maximize: bool) -> None:
        self._maximize = maximize
        self._series: dict[int, Sequence[float]] = {}

    def should_stop(self, number: int, series: Sequence[float]) -> bool:
        """Whether to stop the job after its latest report. series: its objective, one value for each epoch."""
        earlier = [values for other, values in list(self._series.items()) if other != number]
        return should_stop(series, earlier, self._maximize)

    def ended(self, number: int, series: Sequence[float]) -> None:
        """Takes in the series of a job that has ended."""
        self._series[number] = series


def should_stop(series: Sequence[float], earlier: Iterable[Sequence[float]], maximize: bool) -> bool:
    """Whether the latest value is worse than the median of the earlier jobs' running averages at the same epoch.

    series: the running job's objective, one value for each epoch. earlier: the series of jobs that have ended. Those
    that are shorter don't count; with fewer than three others, no job is stopped.
    """
    epoch = len(series)
    averages = [fmean(values[:epoch]) for values in earlier if len(values) >= epoch > 0]
    if len(averages) < EARLIER_JOBS:
        return False
    middle = median(averages)
    return series[-1] < middle if maximize else series[-1] > middle
