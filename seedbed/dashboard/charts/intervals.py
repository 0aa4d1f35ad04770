"""Accuracies with their 95% intervals, one below the other on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..words import percent

WIDTH, ROW, TOP, LEFT, RIGHT = 340, 30, 8, 112, 12
TICKS = 4


@dataclass(frozen=True)
class Bar:
    """An accuracy and its interval, as shares from 0 to 1; `name` is a word or two."""

    name: str
    accuracy: float
    interval: tuple[float, float]


def intervals(bars: Sequence[Bar]) -> Markup:
    """The bars as SVG, the first one in front."""
    low = max(0.0, min(min(bar.interval) for bar in bars) - 0.02)
    high = min(1.0, max(max(bar.interval) for bar in bars) + 0.02)
    height = TOP + ROW * len(bars) + 20
    named = "; ".join(
        f"{bar.name} {percent(bar.accuracy)}, {percent(min(bar.interval))} to {percent(max(bar.interval))}"
        for bar in bars
    )
    axis = Markup().join(tick(low + (high - low) * step / TICKS, low, high, height) for step in range(TICKS + 1))
    drawn = Markup().join(row(bar, place, low, high) for place, bar in enumerate(bars))
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        WIDTH, height, f"Accuracy with its 95% interval: {named}", axis, drawn
    )


def across(share: float, low: float, high: float) -> float:
    """Where a share stands on the scale."""
    return LEFT + (WIDTH - LEFT - RIGHT) * (share - low) / max(high - low, 1e-9)


def tick(share: float, low: float, high: float, height: int) -> Markup:
    """A line of the grid, with its share below it."""
    x = across(share, low, high)
    return Markup(
        '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>'
        '<text x="{0:.1f}" y="{2}" text-anchor="middle">{3}</text>'
    ).format(x, height - 18, height - 4, percent(share, 0))


def row(bar: Bar, place: int, low: float, high: float) -> Markup:
    """One bar: its name, its interval as a line, its accuracy as a dot."""
    y = TOP + ROW * (place + 0.5)
    ends = [across(end, low, high) for end in (min(bar.interval), max(bar.interval))]
    colour = 1 if place == 0 else 3
    return Markup(
        '<text x="0" y="{0:.1f}" dy="4">{1}</text><line class="whisker s{5}" x1="{2:.1f}" x2="{3:.1f}" y1="{0:.1f}" '
        'y2="{0:.1f}"/><circle class="f{5}" cx="{4:.1f}" cy="{0:.1f}" r="5"/>'
    ).format(y, bar.name, *ends, across(bar.accuracy, low, high), colour)
