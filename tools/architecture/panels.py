"""Where the packages stand in their picture: a panel each, in it a row a floor, with boxes for rooms and modules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .rooms import Floor, House, Room
from .text import LINE, wrapped

PADDING, GAP, GUTTER = 14, 6, 26
LABEL_HEIGHT, LETTER = 22, 6.9


@dataclass(frozen=True)
class Label:
    """A module beside the rooms."""

    text: str
    x: float
    y: float
    width: float
    height: float = LABEL_HEIGHT


@dataclass(frozen=True)
class Box:
    """A room: its name, its number of modules and what it is for."""

    name: str
    modules: int
    lines: list[str]
    extra: list[str]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Row:
    """A floor from edge to edge."""

    boxes: list[Box]
    labels: list[Label]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Panel:
    """A package: what it is for, and its floors from the top down."""

    title: str
    note: str
    lines: list[str]
    rows: list[Row]
    x: float
    y: float
    width: float

    @property
    def height(self) -> float:
        return self.rows[-1].y + self.rows[-1].height + PADDING - self.y


def panels(houses: Sequence[House], x: float, y: float, width: float) -> Iterator[Panel]:
    for house in houses:
        lines = wrapped(house.purpose, width - 2 * PADDING)
        top = y + 36 + LINE * len(lines) + 6
        inside = list(rows(house, x + PADDING + GUTTER, top, width - 2 * PADDING - GUTTER))
        yield Panel(f"{house.folder}/", note(house), lines, inside, x, y, width)
        y = inside[-1].y + inside[-1].height + PADDING + 18


def note(house: House) -> str:
    if house.inner:
        return "a room with floors of its own"
    return f"imports from {', '.join(house.foreign)}" if house.foreign else "imports nothing from the other two"


def rows(house: House, x: float, y: float, width: float) -> Iterator[Row]:
    for floor in house.floors:
        names = [inside(path, house.folder) for path in floor.modules]
        own = width - 2 * GAP
        beside = max(map(label_width, names), default=0) if len(floor.rooms) == 1 and len(names) in {1, 2} else 0
        boxes = list(room_boxes(floor, house.folder, x + GAP, y + GAP, own - beside - (GAP if beside else 0)))
        bottom = max((box.y + box.height for box in boxes), default=y)
        if beside:
            labels = list(stacked(names, x + width - GAP - beside, y + GAP, beside))
        else:
            labels = list(side_by_side(names, x + GAP, bottom + GAP, own))
        end = max([bottom, *(label.y + label.height for label in labels)]) + GAP
        yield Row(boxes, labels, x, y, width, end - y)
        y = end + GAP


def inside(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/")


def room_boxes(floor: Floor, folder: str, x: float, y: float, width: float) -> Iterator[Box]:
    """The rooms side by side, all as high as the highest."""
    own = (width - GAP * (len(floor.rooms) - 1)) / max(len(floor.rooms), 1)
    texts = [(wrapped(room.purpose, own - 20), wrapped(extra(room), own - 20)) for room in floor.rooms]
    height = max((34 + LINE * (len(lines) + len(more)) for lines, more in texts), default=0)
    for index, (room, (lines, more)) in enumerate(zip(floor.rooms, texts, strict=True)):
        name = f"{inside(room.folder, folder)}/"
        yield Box(name, room.modules, lines, more, x + index * (own + GAP), y, own, height)


def extra(room: Room) -> str:
    """The folders within a room, or where its floors are."""
    return "Its floors are below." if room.drawn else " ".join(f"{name}/" for name in room.folders)


def label_width(name: str) -> float:
    return len(name) * LETTER + 18


def stacked(names: Sequence[str], x: float, y: float, width: float) -> Iterator[Label]:
    """The names one below the other."""
    for index, name in enumerate(names):
        yield Label(name, x, y + index * (LABEL_HEIGHT + GAP), width)


def side_by_side(names: Sequence[str], x: float, y: float, width: float) -> Iterator[Label]:
    """The names in as many lines as they need."""
    left = x
    for name in names:
        own = label_width(name)
        if left + own > x + width:
            left, y = x, y + LABEL_HEIGHT + GAP
        yield Label(name, left, y, own)
        left += own + GAP
