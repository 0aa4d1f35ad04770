"""Accuracies with their intervals, drawn."""

from xml.etree.ElementTree import fromstring

import pytest

from seedbed.dashboard.charts.intervals import Bar, intervals

from . import examples


def test_bars_stand_on_one_scale_and_are_told_in_words() -> None:
    drawn = fromstring(str(intervals([Bar("this one", 0.87, (0.743, 0.939)), Bar("one before", 0.78, (0.64, 0.88))])))
    dots = [float(dot.attrib["cx"]) for dot in drawn.iter("circle")]
    assert dots[0] > dots[1]
    assert drawn.attrib["aria-label"] == (
        "Accuracy with its 95% interval: this one 87.0%, 74.3% to 93.9%; one before 78.0%, 64.0% to 88.0%"
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_single_exact_accuracy_can_be_drawn(share: float) -> None:
    drawn = fromstring(str(intervals([Bar(examples.HOSTILE, share, (share, share))])))
    assert drawn.find("script") is None
    assert len(list(drawn.iter("circle"))) == 1
