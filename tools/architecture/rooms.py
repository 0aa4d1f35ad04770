"""The folders of code, what each is for, and which imports from which."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS, CONTAINER = "functions", "training_container/trainer"
# Each house of code: the folder where its imports start, and what it is where its package does not say so.
HOUSES = {
    FUNCTIONS: (FUNCTIONS, "The Lambda functions: a file each, which takes an event and calls the step of its name."),
    CONTAINER: ("training_container", ""),
    "seedbed": (".", ""),
}

Edges = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Room:
    """A folder of modules; `imports` counts the imports from each other folder of its house."""

    folder: str
    purpose: str
    modules: int
    imports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """A folder with the folders in it, importers before what they import.

    Its own modules come first. `foreign` are the other houses that it imports from.
    """

    folder: str
    rooms: list[Room]
    foreign: list[str]


def houses(root: Path = ROOT) -> list[House]:
    """Functions, training container and command, as their code stands."""
    files = {name: path for folder, (start, _) in HOUSES.items() for name, path in modules(root, folder, start)}
    homes = {name: path.parent.relative_to(root).as_posix() for name, path in files.items()}
    edges = Counter(
        (homes[name], homes[found])
        for name, path in files.items()
        for found in imported(name, path, files)
        if homes[found] != homes[name]
    )
    return [house(root, folder, Counter(homes.values()), edges) for folder in HOUSES]


def house(root: Path, folder: str, sizes: Mapping[str, int], edges: Edges) -> House:
    inside = [name for name in sorted(sizes) if name == folder or name.startswith(f"{folder}/")]
    rooms = [
        Room(
            name,
            purpose(root / name) or (HOUSES[folder][1] if name == folder else ""),
            sizes[name],
            {target: count for (source, target), count in sorted(edges.items()) if source == name and target in inside},
        )
        for name in [folder, *importers_first([name for name in inside if name != folder], edges)]
    ]
    outside = {target for source, target in edges if source in inside and target not in inside}
    return House(folder, rooms, sorted(other for other in HOUSES if any(name.startswith(other) for name in outside)))


def modules(root: Path, folder: str, start: str) -> Iterator[tuple[str, Path]]:
    """Every module of a house by dotted name."""
    for path in sorted((root / folder).rglob("*.py")):
        parts = path.relative_to(root / start).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imported(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules among the known that a module imports, wherever in its text."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            full = [f"{start}.{alias.name}" for alias in node.names]
            names = [name if name in known else start for name in full]
        yield from (found for found in names if found in known)


def purpose(folder: Path) -> str:
    """The first paragraph of a package's docstring, as plain text."""
    start = folder / "__init__.py"
    text = ast.get_docstring(ast.parse(start.read_text(encoding="utf-8"))) if start.exists() else None
    return (text or "").split("\n\n", 1)[0].replace("\n", " ").replace("`", "")


def importers_first(names: list[str], edges: Edges) -> list[str]:
    """The folders so that few imports lead upwards: next is always the one that those left import from least."""
    left, order = list(names), list[str]()
    while left:

        def wanted(name: str) -> tuple[int, int, str]:
            into = sum(edges.get((other, name), 0) for other in left)
            out = sum(edges.get((name, other), 0) for other in left)
            return (into and 1, into - out, name)

        order.append(min(left, key=wanted))
        left.remove(order[-1])
    return order
