"""The summary of a metric's values, as trial components have it."""

import statistics
from collections.abc import Sequence
from typing import Any


def summary(name: str, points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """The TrialComponentMetricSummary of (value, epoch seconds), of which there is at least one."""
    values = [value for value, _ in points]
    return {
        "MetricName": name,
        "TimeStamp": points[-1][1],
        "Max": max(values),
        "Min": min(values),
        "Last": values[-1],
        "Count": len(values),
        "Avg": statistics.fmean(values),
        "StdDev": statistics.pstdev(values),
    }
