"""The two pictures: the way of an upload, a row a function, and the packages with their floors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader

from .flow import Step
from .panels import panels
from .rooms import House
from .text import LINE, wrapped

WIDTH, MARGIN = 640, 18
CHIP_HEIGHT, CHIP_GAP, ROW_GAP = 26, 6, 26
LEFT, MIDDLE, RIGHT = (MARGIN, 142), (204, 232), (480, 142)


@dataclass(frozen=True)
class Chip:
    """A resource in a rounded box."""

    text: str
    x: float
    y: float
    width: float
    height: float = CHIP_HEIGHT


@dataclass(frozen=True)
class FlowRow:
    """A function between what wakes it and what it changes."""

    name: str
    box: Chip
    lines: list[str]
    wakes: list[Chip]
    changes: list[Chip]
    top: float

    @property
    def middle(self) -> float:
        return self.box.y + self.box.height / 2


def draw_flow(steps: Sequence[Step]) -> str:
    """The way of an upload as SVG."""
    flow = list(flow_rows(steps, 84))
    found = {"flow": flow, "links": list(links(flow)), "columns": (LEFT, MIDDLE, RIGHT)}
    return rendered("flow", bottom(flow[-1]) + MARGIN, found)


def draw_floors(houses: Sequence[House]) -> str:
    """The packages and their floors as SVG."""
    found = list(panels(houses, MARGIN, 98, WIDTH - 2 * MARGIN))
    return rendered("floors", found[-1].y + found[-1].height + MARGIN, {"panels": found})


def rendered(name: str, height: float, found: Mapping[str, object]) -> str:
    environment = Environment(
        loader=PackageLoader("tools.architecture", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template(f"{name}.svg.jinja")
    return template.render(found, width=WIDTH, height=height, margin=MARGIN)


def flow_rows(steps: Sequence[Step], top: float) -> Iterator[FlowRow]:
    for step in steps:
        lines = wrapped(step.purpose, MIDDLE[1] - 24)
        own = 34 + LINE * len(lines)
        height = max(own, column(len(step.wakes)), column(len(step.changes)))
        box = Chip(step.name, MIDDLE[0], top + (height - own) / 2, MIDDLE[1], own)
        wakes, changes = chips(step.wakes, LEFT, top, height), chips(step.changes, RIGHT, top, height)
        yield FlowRow(step.name, box, lines, wakes, changes, top)
        top += height + ROW_GAP


def column(count: int) -> float:
    return count * CHIP_HEIGHT + (count - 1) * CHIP_GAP


def chips(names: Sequence[str], place: tuple[int, int], top: float, height: float) -> list[Chip]:
    """The names one below the other, centred in a row."""
    first = top + (height - column(len(names))) / 2
    return [
        Chip(name, place[0], first + index * (CHIP_HEIGHT + CHIP_GAP), place[1]) for index, name in enumerate(names)
    ]


def bottom(row: FlowRow) -> float:
    return max(chip.y + chip.height for chip in (row.box, *row.wakes, *row.changes))


def links(flow: Sequence[FlowRow]) -> Iterator[tuple[Chip, Chip, float]]:
    """From what a function changes to the function that this wakes, and how high above that the way leads across."""
    reached = flow[:1]
    for row in flow[1:]:
        target = row.wakes[0]
        sources = [chip for chip in reached[-1].changes if chip.text == target.text]
        if sources:
            reached = [*reached, row]
            yield sources[0], target, row.top - ROW_GAP / 2
