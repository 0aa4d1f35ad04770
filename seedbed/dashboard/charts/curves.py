"""Learning curves: accuracy, or loss, of training and validation by epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .drawing import Scale, chart, horizontal, path, share_scale, tag, text, value

SIZE = WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 52.0, 408.0, 12.0, 202.0


@dataclass(frozen=True)
class Curve:
    """Values by epoch, from 1 on; `series` from 1 is its colour."""

    name: str
    values: tuple[float, ...]
    series: int


def curves(title: str, drawn: Sequence[Curve], in_percent: bool) -> Markup:
    """Curves over the same epochs; nothing while there is no epoch."""
    every = [found for curve in drawn for found in curve.values]
    if not every:
        return Markup("")
    epochs = max(len(curve.values) for curve in drawn)
    across = Scale(1, max(2, epochs), LEFT + 4, RIGHT - 4)
    up = share_scale(every, BOTTOM, TOP) if in_percent else Scale(0, max(every) * 1.05, BOTTOM, TOP)
    lines = [line(curve, across, up) for curve in drawn if curve.values]
    numbers = [text(value(tick), across(tick), BOTTOM + 18, "middle") for tick in across.ticks(6) if tick >= 1]
    ends = "; ".join(f"{curve.name} ends at {shown(curve.values[-1], in_percent)}" for curve in drawn if curve.values)
    return chart(
        title,
        f"After {epochs} epochs: {ends}.",
        SIZE,
        horizontal(up, LEFT, RIGHT, in_percent),
        *numbers,
        text("epoch", (LEFT + RIGHT) / 2, HEIGHT - 4, "middle"),
        *lines,
        kind="curves",
    )


def line(curve: Curve, across: Scale, up: Scale) -> Markup:
    """A curve; a single epoch is a dot."""
    places = [(across(epoch), up(found)) for epoch, found in enumerate(curve.values, 1)]
    if len(places) == 1:
        return tag("circle", class_=f"f{curve.series}", cx=places[0][0], cy=places[0][1], r=3)
    return path(places, f"line s{curve.series}")


def shown(number: float, in_percent: bool) -> str:
    return f"{number:.1%}" if in_percent else f"{number:.3g}"
