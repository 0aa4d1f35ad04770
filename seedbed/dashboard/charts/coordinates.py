"""Parallel coordinates: an axis for each hyperparameter, and a line for each trial, the best ones drawn last."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..words import percent
from .drawing import Scale, chart, path, tag, text, value

HEIGHT, TOP, BOTTOM, SIDE, STEP = 300, 44.0, 262.0, 56, 118
CLASSES = 5
NAME_LENGTH = 16


@dataclass(frozen=True)
class Axis:
    """A hyperparameter from `low` to `high`, or one of several `choices`."""

    name: str
    low: float = 0.0
    high: float = 1.0
    logarithmic: bool = False
    choices: tuple[str, ...] = ()

    def place(self, given: str) -> float | None:
        """How far up its axis a value is, from 0 to 1; None for one that it does not have."""
        if self.choices:
            if given not in self.choices:
                return None
            return self.choices.index(given) / max(1, len(self.choices) - 1)
        try:
            return Scale(self.low, self.high, 0.0, 1.0, self.logarithmic).share(float(given))
        except (ValueError, OverflowError):
            return None

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at its lower and its upper end."""
        if self.choices:
            return self.choices[0], self.choices[-1]
        return value(float(self.low)), value(float(self.high))


@dataclass(frozen=True)
class Line:
    """A trial: its values by hyperparameter, and its validation accuracy from 0 to 1."""

    name: str
    values: dict[str, str]
    accuracy: float


def coordinates(axes: Sequence[Axis], lines: Sequence[Line]) -> Markup:
    """The trials over the axes, with their accuracy on the last one; nothing for no axes or fewer than two trials."""
    if not axes or len(lines) < 2:
        return Markup("")
    ranked = sorted(lines, key=lambda line: line.accuracy)
    scores = Scale(ranked[0].accuracy, ranked[-1].accuracy, BOTTOM, TOP)
    width = 2 * SIDE + STEP * len(axes)
    drawn = [drawn_line(line, axes, scores, CLASSES * place // len(ranked)) for place, line in enumerate(ranked)]
    ends = (percent(scores.low), percent(scores.high))
    uprights = [upright(axis.name, axis.ends, SIDE + STEP * at, axis.logarithmic) for at, axis in enumerate(axes)]
    uprights.append(upright("accuracy", ends, width - SIDE, False))
    return chart(
        "Hyperparameters and validation accuracy of each trial",
        f"{len(lines)} trials over {', '.join(axis.name for axis in axes)}; the best fifth stands out.",
        (width, HEIGHT),
        *drawn,
        *uprights,
        kind="coordinates",
    )


def drawn_line(line: Line, axes: Sequence[Axis], scores: Scale, fifth: int) -> Markup:
    """One trial; `fifth` is 4 for the best fifth of all."""
    places = [(SIDE + STEP * at, axis.place(line.values.get(axis.name, ""))) for at, axis in enumerate(axes)]
    points = [(float(x), BOTTOM + share * (TOP - BOTTOM)) for x, share in places if share is not None]
    points.append((float(SIDE + STEP * len(axes)), scores(line.accuracy)))
    return path(points, f"trial q{fifth}")


def upright(name: str, ends: tuple[str, str], x: float, logarithmic: bool) -> Markup:
    """An axis with its name and the values at its ends."""
    shown = name.replace("_", " ")[:NAME_LENGTH]
    return Markup("").join(
        [
            tag("line", class_="axis", x1=x, x2=x, y1=TOP, y2=BOTTOM),
            text(shown, x, 14, "middle", "name"),
            text(ends[1][:NAME_LENGTH], x, 32, "middle"),
            text(ends[0][:NAME_LENGTH], x, BOTTOM + 18, "middle"),
            text("log scale" if logarithmic else "", x, BOTTOM + 34, "middle"),
        ]
    )
