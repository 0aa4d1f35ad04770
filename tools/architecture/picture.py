"""Where everything stands in the picture: first the flow, a row a function, then the houses, a row a folder."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader

from .flow import Step
from .rooms import House, Room

WIDTH, MARGIN = 640, 18
CHIP_HEIGHT, CHIP_GAP, LINE, ROW_GAP = 26, 6, 16, 26
LEFT, MIDDLE, RIGHT = (MARGIN, 142), (204, 232), (480, 142)
LANE, TEXT_SIZE = 16, 12.5
HUES = 8


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


@dataclass(frozen=True)
class Lane:
    """A folder's imports: from its dot to the rows of what it imports."""

    x: float
    hue: int
    start: float
    ends: list[float]


@dataclass(frozen=True)
class RoomRow:
    """A folder with its size and purpose."""

    name: str
    modules: int
    lines: list[str]
    y: float


@dataclass(frozen=True)
class Panel:
    """A house: its folders' rows and the lanes of imports beside them."""

    title: str
    note: str
    top: float
    bottom: float
    text_x: float
    rows: list[RoomRow]
    lanes: list[Lane]


def draw(steps: Sequence[Step], houses: Sequence[House]) -> str:
    """The picture as SVG."""
    flow = list(flow_rows(steps, 84))
    panels = list(house_panels(houses, bottom(flow[-1]) + 96))
    environment = Environment(
        loader=PackageLoader("tools.architecture", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("picture.svg.jinja").render(
        flow=flow,
        links=list(links(flow)),
        panels=panels,
        width=WIDTH,
        height=panels[-1].bottom + MARGIN,
        margin=MARGIN,
        columns=(LEFT, MIDDLE, RIGHT),
        rooms_top=bottom(flow[-1]) + 48,
    )


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


def house_panels(houses: Sequence[House], top: float) -> Iterator[Panel]:
    for house in houses:
        importers = [room for room in house.rooms if room.imports]
        text_x = MARGIN + 16 + LANE * len(importers) + 6
        rows = list(room_rows(house, text_x, top + 62))
        at = {room.folder: row.y for room, row in zip(house.rooms, rows, strict=True)}
        end = rows[-1].y + 10 + LINE * len(rows[-1].lines) + 12
        yield Panel(f"{house.folder}/", note(house), top, end, text_x, rows, list(lanes(importers, at)))
        top = end + 18


def note(house: House) -> str:
    if house.foreign:
        return f"imports from {', '.join(house.foreign)}"
    return "imports nothing from the other two"


def room_rows(house: House, x: float, y: float) -> Iterator[RoomRow]:
    for room in house.rooms:
        lines = wrapped(room.purpose, WIDTH - MARGIN - 16 - x)
        inside = room.folder.removeprefix(f"{house.folder}/")
        name = f"{house.folder}/*.py" if inside == house.folder else f"{inside}/"
        yield RoomRow(name, room.modules, lines, y)
        y += 30 + LINE * len(lines)


def lanes(importers: Sequence[Room], at: dict[str, float]) -> Iterator[Lane]:
    """A lane for each importer, the first farthest from the text."""
    for index, room in enumerate(importers):
        x = MARGIN + 20 + LANE * index
        yield Lane(x, index % HUES, at[room.folder], [at[target] for target in room.imports])


def wrapped(text: str, width: float) -> list[str]:
    """Lines that fit a width, by the width of an average letter."""
    return textwrap.wrap(text, int(width / (TEXT_SIZE * 0.54)))
