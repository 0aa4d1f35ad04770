"""A learning curve as small as a word."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, MARGIN = 120, 36, 3


def sparkline(lines: Sequence[Sequence[float]], named: str) -> Markup:
    """The lines of values from 0 to 1 as SVG, the last one in front; `named` says in words what they show."""
    drawn = Markup().join(
        line(values, "line" if number == len(lines) else "line behind") for number, values in enumerate(lines, start=1)
    )
    return Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, named, drawn
    )


def line(values: Sequence[float], name: str) -> Markup:
    """One line over the whole width; a single value is a dot."""
    across, up = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    points = [
        (MARGIN + across * place / max(1, len(values) - 1), HEIGHT - MARGIN - up * min(1.0, max(0.0, value)))
        for place, value in enumerate(values)
    ]
    if len(points) == 1:
        return Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2"/>').format(*points[0])
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(escape(name), path)
