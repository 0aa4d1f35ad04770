"""What the project's modules import, read off their code."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path


def modules(folder: Path, package: str = "") -> dict[str, Path]:
    """All modules below a folder, or of one package in it, by dotted name."""
    found = sorted((folder / package).rglob("*.py"))
    files = {path.relative_to(folder).with_suffix(""): path for path in found}
    return {".".join(part for part in name.parts if part != "__init__"): path for name, path in files.items()}


@cache
def imports(module: str, path: Path) -> tuple[str, ...]:
    """What a module imports, each name in full; a file is read once, as it does not change meanwhile."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    return tuple(imported_names(package, path))


def imported_names(package: list[str], path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def import_graph(folder: Path, package: str = "") -> dict[str, set[str]]:
    """For each module below a folder, or of one package in it, those of the others that it imports."""
    known = modules(folder, package)
    return {
        module: {name if name in known else name.rpartition(".")[0] for name in imports(module, path)} & known.keys()
        for module, path in known.items()
    }
