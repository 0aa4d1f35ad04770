"""The optimisation history: each trial's validation accuracy, and the best so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from ..words import percent
from .drawing import Scale, chart, horizontal, path, share_scale, tag, text, value

SIZE = WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52.0, 448.0, 12.0, 212.0


@dataclass(frozen=True)
class Point:
    """A trial by its number, from 1, with its accuracy from 0 to 1; `series` from 1 is its stage's colour."""

    number: int
    accuracy: float
    series: int
    name: str


def history(points: Sequence[Point]) -> Markup:
    """The trials in the order in which they were started; nothing for none."""
    if not points:
        return Markup("")
    last = max(point.number for point in points)
    across = Scale(1, max(2, last), LEFT + 6, RIGHT - 6)
    up = share_scale([point.accuracy for point in points], BOTTOM, TOP)
    best = list(accumulate((point.accuracy for point in points), max))
    dots = [
        tag(
            "circle",
            tag("title", f"{point.name}: {percent(point.accuracy)}"),
            class_=f"f{point.series}",
            cx=across(point.number),
            cy=up(point.accuracy),
            r=3,
        )
        for point in points
    ]
    numbers = [
        text(value(tick), across(tick), BOTTOM + 18, "middle")
        for tick in across.ticks(6)
        if tick.is_integer() and tick >= 1
    ]
    return chart(
        "Validation accuracy by trial",
        f"{len(points)} trials; the best has {percent(best[-1])}.",
        SIZE,
        horizontal(up, LEFT, RIGHT),
        *numbers,
        text("trial, in the order of their start", (LEFT + RIGHT) / 2, HEIGHT - 4, "middle"),
        path(steps(points, best, across, up), "line best-so-far"),
        *dots,
        kind="history",
    )


def steps(points: Sequence[Point], best: Sequence[float], across: Scale, up: Scale) -> list[tuple[float, float]]:
    """The running best as stairs."""
    places: list[tuple[float, float]] = []
    for point, so_far in zip(points, best, strict=True):
        x, y = across(point.number), up(so_far)
        if places:
            places.append((x, places[-1][1]))
        places.append((x, y))
    return places
