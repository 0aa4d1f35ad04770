"""The packages as their floors stand: the rooms and modules of each, and what each room is for."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .floors import FLOORS, ROOT
from .imports import imports

FUNCTIONS = "functions"
# The folder of each package, where its name does not say so.
PLACES = {
    "job_manager": f"{FUNCTIONS}/job_manager",
    "predictor": "predictions/predictor",
    "trainer": "training_container/trainer",
}
HANDLERS = "The Lambda functions: a file each, which takes an event and calls the step of its name."


@dataclass(frozen=True)
class Room:
    """A folder of modules with all below it; `drawn` says that its own floors are drawn too."""

    folder: str
    purpose: str
    modules: int
    folders: list[str]
    drawn: bool = False


@dataclass(frozen=True)
class Floor:
    """The rooms of a floor, and the files of the modules beside them."""

    rooms: list[Room]
    modules: list[str]


@dataclass(frozen=True)
class House:
    """A package with rooms, its floors from the top down; `foreign` are the other top packages that it imports from."""

    folder: str
    purpose: str
    floors: list[Floor]
    foreign: list[str]
    inner: bool


def houses(root: Path = ROOT, floors: Mapping[str, Sequence[Sequence[str]]] = FLOORS) -> list[House]:
    """Functions, training container and command, and the rooms with floors of their own."""
    return [house(root, package, floors) for package in floors]


def house(root: Path, package: str, floors: Mapping[str, Sequence[Sequence[str]]]) -> House:
    top = package.split(".", maxsplit=1)[0]
    place = "/".join([PLACES.get(top, top), *package.split(".")[1:]])
    below = [floor(root, place, package, parts, floors) for parts in floors[package]]
    others = {name.split(".")[0] for name in floors} - {top}
    if top != "job_manager":
        return House(place, purpose(root / place), below, foreign(root / place, others), top != package)
    handlers = Floor([], sorted(path.relative_to(root).as_posix() for path in (root / FUNCTIONS).glob("*.py")))
    return House(FUNCTIONS, HANDLERS, [handlers, *below], foreign(root / FUNCTIONS, others), False)


def floor(root: Path, place: str, package: str, parts: Sequence[str], drawn: Mapping[str, object]) -> Floor:
    rooms = [
        room(root, f"{place}/{part}", f"{package}.{part}" in drawn) for part in parts if is_room(root, place, part)
    ]
    return Floor(rooms, [f"{place}/{part}.py" for part in parts if not is_room(root, place, part)])


def is_room(root: Path, place: str, part: str) -> bool:
    return (root / place / part).is_dir()


def room(root: Path, folder: str, drawn: bool) -> Room:
    files = list((root / folder).rglob("*.py"))
    inside = sorted({path.parent.relative_to(root / folder).as_posix() for path in files} - {"."})
    return Room(folder, purpose(root / folder), len(files), [] if drawn else inside, drawn)


def foreign(folder: Path, others: set[str]) -> list[str]:
    """The packages among the others that modules of a folder import from."""
    return sorted({name.split(".")[0] for path in folder.rglob("*.py") for name in imports("", path)} & others)


def purpose(folder: Path) -> str:
    """The first paragraph of a package's docstring, as plain text."""
    start = folder / "__init__.py"
    text = ast.get_docstring(ast.parse(start.read_text(encoding="utf-8"))) if start.exists() else None
    return (text or "").split("\n\n", 1)[0].replace("\n", " ").replace("`", "")
