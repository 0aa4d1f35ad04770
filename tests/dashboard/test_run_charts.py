"""The charts of runs, parsed as XML: what they say in words, where their marks are, and that their text is escaped."""

from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from seedbed.dashboard.charts.bar import bar, interval_bar
from seedbed.dashboard.charts.coordinates import Axis, Line, coordinates
from seedbed.dashboard.charts.curves import Curve, curves
from seedbed.dashboard.charts.drawing import Scale
from seedbed.dashboard.charts.history import Point, history

from .examples import HOSTILE

AXES = [Axis("rate", 0.001, 0.1, logarithmic=True), Axis("kind", choices=("one", "two")), Axis(HOSTILE, 0, 1)]


def parsed(picture: Markup) -> ElementTree.Element:
    """The picture, which is well-formed, has a name, and no styles that the page's policy forbids."""
    assert "style=" not in picture
    return ElementTree.fromstring(picture)


def places(polyline: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in polyline.attrib["points"].split())]


def test_the_history_has_a_dot_for_each_trial_and_a_line_that_never_falls() -> None:
    points = [Point(number, accuracy, 1, HOSTILE) for number, accuracy in enumerate((0.5, 0.8, 0.6, 0.9), 1)]
    drawn = parsed(history(points))

    heights = [y for _, y in places(drawn.findall("polyline")[0])]
    assert heights == sorted(heights, reverse=True)
    assert len(drawn.findall("circle")) == 4
    assert drawn.findtext("circle/title") == f"{HOSTILE}: 50.0%"
    assert (drawn.attrib["role"], drawn.findtext("title")) == ("img", "Validation accuracy by trial")
    assert drawn.findtext("desc") == "4 trials; the best has 90.0%."


def test_lines_run_over_the_axes_with_the_best_last() -> None:
    values = {"rate": "0.01", "kind": "two", HOSTILE: "0"}
    drawn = parsed(coordinates(AXES, [Line("1", values, 0.9), Line("2", {**values, "rate": "0.001"}, 0.5)]))

    worst, best = drawn.findall("polyline")
    assert (worst.attrib["class"], best.attrib["class"]) == ("trial q0", "trial q2")
    top, bottom = places(best)[1][1], places(worst)[0][1]
    assert places(best)[0][1] == pytest.approx((top + bottom) / 2)  # in the middle of its logarithmic axis
    assert (places(best)[-1][1], places(worst)[-1][1]) == (top, bottom)
    assert {"0.001", "0.1", "log scale", "two", "90.0%"} <= {text.text for text in drawn.iter("text")}


def test_a_value_that_an_axis_does_not_have_is_passed_over() -> None:
    drawn = parsed(coordinates(AXES, [Line("1", {"rate": "many", "kind": "three"}, 0.9), Line("2", {}, 0.5)]))

    assert [len(places(line)) for line in drawn.findall("polyline")] == [1, 1]


def test_nothing_is_drawn_of_nothing() -> None:
    lonely = coordinates(AXES, [Line("1", {}, 0.5)])

    assert history([]) == coordinates([], []) == lonely == curves("", [], in_percent=True) == ""


def test_curves_share_their_axes() -> None:
    both = [Curve("training", (0.5, 0.7), 2), Curve("validation", (0.4, 0.6), 1)]
    drawn = parsed(curves("Accuracy", both, in_percent=True))

    training, validation = map(places, drawn.findall("polyline"))
    assert [x for x, _ in training] == [x for x, _ in validation]
    assert all(above[1] < below[1] for above, below in zip(training, validation, strict=True))
    assert drawn.findtext("desc") == "After 2 epochs: training ends at 70.0%; validation ends at 60.0%."


def test_the_first_epoch_is_a_dot() -> None:
    assert len(parsed(curves("Loss", [Curve("training", (2.0,), 2)], in_percent=False)).findall("circle")) == 1


def test_a_bar_is_as_long_as_its_share() -> None:
    drawn = parsed(bar(0.25, 1, 0.5))

    assert [rect.attrib["width"] for rect in drawn.findall("rect")] == ["100", "25"]
    assert drawn.findall("line")[0].attrib["x1"] == "50"
    assert drawn.attrib["aria-hidden"] == "true"


def test_an_interval_lies_on_its_scale() -> None:
    drawn = parsed(interval_bar(0.75, (0.625, 0.875), (0.5, 1.0)))

    shown = drawn.findall("rect")[1].attrib
    assert (shown["x"], shown["width"]) == ("25", "50")


def test_ticks_are_round_and_within_their_scale() -> None:
    for low, high in ((0.0, 1.0), (0.553, 0.991), (0.98, 1.0), (1, 750), (1, 2), (0, 3.7)):
        ticks = Scale(low, high, 0, 1).ticks()
        assert 1 < len(ticks) <= 6
        assert all(low <= tick <= high for tick in ticks)
    assert Scale(1, 1, 0, 1).ticks() == [1]
