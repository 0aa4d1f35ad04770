"""The median rule: when it stops a training job early."""

import pytest

from seedbed.local_cloud.sagemaker.search.median_rule import should_stop

EARLIER = [[0.5, 0.7], [0.6, 0.8], [0.4, 0.6]]


@pytest.mark.parametrize(
    ("series", "earlier", "maximize", "stops"),
    [
        ([0.5, 0.59], EARLIER, True, True),  # the running averages at the second epoch: 0.6, 0.7, 0.5
        ([0.5, 0.61], EARLIER, True, False),
        ([0.5, 0.61], EARLIER, False, True),
        ([0.5, 0.59], EARLIER, False, False),
        ([0.0], EARLIER[:2], True, False),
        ([0.5, 0.5, 0.0], EARLIER, True, False),
        ([], EARLIER, True, False),
    ],
)
def test_the_median_rule_stops_jobs_below_the_median(
    series: list[float], earlier: list[list[float]], maximize: bool, stops: bool
) -> None:
    assert should_stop(series, earlier, maximize) is stops
