"""Bars that stand in a table beside their number, which says the same to those who don't see them."""

from markupsafe import Markup

from .drawing import tag

WIDTH, HEIGHT = 100, 10


def bar(share: float, series: int = 1, mark: float | None = None) -> Markup:
    """A bar for a share from 0 to 1, with a mark at another share if one is given."""
    length = WIDTH * min(1.0, max(0.0, share))
    parts = [
        tag("rect", class_="trough", width=WIDTH, height=HEIGHT),
        tag("rect", class_=f"f{series}", width=length, height=HEIGHT),
    ]
    if mark is not None:
        x = WIDTH * min(1.0, max(0.0, mark))
        parts.append(tag("line", class_="mark-line", x1=x, x2=x, y1=0, y2=HEIGHT))
    return tag(
        "svg",
        *parts,
        class_="bar-in-row",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def interval_bar(middle: float, ends: tuple[float, float], scale: tuple[float, float], series: int = 1) -> Markup:
    """A share with its interval, on a scale from one share to another."""
    low, high = scale

    def at(share: float) -> float:
        return WIDTH * (share - low) / (high - low) if high > low else WIDTH / 2

    return tag(
        "svg",
        tag("rect", class_="trough", width=WIDTH, height=HEIGHT),
        tag("rect", class_=f"f{series} range", x=at(ends[0]), width=max(0.5, at(ends[1]) - at(ends[0])), height=HEIGHT),
        tag("line", class_="mark-line", x1=at(middle), x2=at(middle), y1=0, y2=HEIGHT),
        class_="bar-in-row",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
