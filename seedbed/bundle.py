"""The template, the functions and the training container: inside this package in a wheel, beside it in a checkout."""

from collections.abc import Iterator
from pathlib import Path

_IN_A_WHEEL = Path(__file__).with_name("bundled")
_ROOT = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else Path(__file__).parents[1]

TEMPLATE = _ROOT / "template.yaml"
FUNCTIONS = _ROOT / "functions"
PREDICTIONS = _ROOT / "predictions"
CONTAINER = _ROOT / "training_container"
PACKAGES = {"functions/": FUNCTIONS, "predictions/": PREDICTIONS}
"""The folders of functions that are packed together, by the CodeUri that template.yaml gives them."""
REQUIREMENTS, SHARED = "requirements.txt", "shared.txt"
PACKED = {".py", ".json"}


def code_of(folder: Path) -> dict[str, bytes]:
    """The code of the functions in a folder of PACKAGES, by its path in their package.

    The folder's shared.txt names what they share with other folders: each line is a module or a package, below the
    folder that imports start in.
    """
    return {name: path.read_bytes() for name, path in sorted(_code_files(folder))}


def _code_files(folder: Path) -> Iterator[tuple[str, Path]]:
    yield from _below(folder, folder)
    shared = folder / SHARED
    for line in shared.read_text(encoding="utf-8").split() if shared.exists() else ():
        start, path = _ROOT / line.partition("/")[0], _ROOT / line
        yield from _below(path, start) if path.is_dir() else [(path.relative_to(start).as_posix(), path)]


def _below(folder: Path, start: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.suffix in PACKED and path.is_file() and not any(part.startswith(".") for part in path.parts[-2:]):
            yield path.relative_to(start).as_posix(), path
