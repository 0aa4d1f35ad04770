"""What the charts are drawn with: SVG elements whose text is escaped, and scales from values to places."""

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

TITLE_LENGTH = 300


def tag(name: str, *content: str, **attributes: object) -> Markup:
    """An element of SVG; an underscore in an attribute's name stands for a hyphen, and one at its end is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(place(value))}"' for key, value in attributes.items()
    )
    inner = "".join(map(escape, content))
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")  # noqa: S704 - all is escaped


def place(value: object) -> object:
    """A value of an attribute: a number that is not whole with one decimal."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def chart(title: str, about: str, size: tuple[int, int], *parts: str, kind: str = "") -> Markup:
    """A whole picture of a width and a height, with its name and what it shows in words."""
    named = (tag("title", title[:TITLE_LENGTH]), tag("desc", about))
    box = f"0 0 {size[0]} {size[1]}"
    return tag("svg", *named, *parts, class_=f"chart {kind}".strip(), viewBox=box, role="img")


def text(content: str, x: float, y: float, anchor: str = "start", kind: str = "") -> Markup:
    """Text at a place; `anchor` is start, middle or end."""
    more = {"class_": kind} if kind else {}
    return tag("text", content, x=x, y=y, text_anchor=anchor, **more)


def path(points: list[tuple[float, float]], kind: str, **attributes: object) -> Markup:
    """A line through places, from left to right."""
    steps = " ".join(f"{place(float(x))},{place(float(y))}" for x, y in points)
    return tag("polyline", class_=kind, points=steps, **attributes)


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on a line from `start` to `end`; `logarithmic` needs values above 0."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; one beyond an end is put there."""
        return self.start + self.share(value) * (self.end - self.start)

    def share(self, value: float) -> float:
        """How far a value is on the way from `low` to `high`, from 0 to 1."""
        low, high = self.low, self.high
        if self.logarithmic and low > 0:
            low, high, value = math.log(low), math.log(high), math.log(max(value, self.low))
        return 0.5 if high <= low else min(1.0, max(0.0, (value - low) / (high - low)))

    def ticks(self, most: int = 5) -> list[float]:
        """Up to `most` round values from `low` to `high`."""
        if self.high <= self.low:
            return [self.low]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step *= next(times for times in (1, 2, 5, 10, 20) if (self.high - self.low) / (step * times) <= most - 0.5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(step * number, 10) for number in range(first, last + 1)]


def value(number: float) -> str:
    """A number with three significant digits, as people write it."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e6 else f"{number:.3g}"


def share_scale(values: list[float], start: float, end: float) -> Scale:
    """A scale for shares that leaves some room around them, within 0 and 1."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(0.01, (high - low) * 0.08)
    return Scale(max(0.0, low - room), min(1.0, high + room), start, end)


def horizontal(scale: Scale, left: float, right: float, in_percent: bool = True) -> Markup:
    """The lines and numbers of an axis of shares or other values at the left."""
    parts = []
    for tick in scale.ticks():
        shown = f"{100 * tick:.4g}%" if in_percent else value(tick)
        parts += [
            tag("line", class_="grid", x1=left, x2=right, y1=scale(tick), y2=scale(tick)),
            text(shown, left - 6, scale(tick) + 4, "end"),
        ]
    return Markup("").join(parts)
