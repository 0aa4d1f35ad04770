"""A folder in which a person stands, with a file by the name of every module there is: running one leaves a trace."""

import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

TRAP = """
from pathlib import Path
Path(__file__).with_name("trace-of-" + Path(__file__).stem).touch()
raise SystemExit("a file of the present folder was run: " + __file__)
"""


def lay_traps(folder: Path) -> Path:
    """The folder, with a trap for each module of the standard library and of what is installed, Seedbed included."""
    lay(folder, sys.stdlib_module_names)
    for package in ("seedbed", "trainer", "ministack"):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").write_text(TRAP)
    return lay_library_traps(folder)


def lay_library_traps(folder: Path) -> Path:
    """The same for other people's libraries alone, without what Python itself imports as it starts."""
    lay(folder, (name for name in packages_distributions().keys() - {"seedbed"} if not name.startswith("_")))
    return folder


def lay(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        if name.isidentifier() and not (folder / f"{name}.py").exists():
            (folder / f"{name}.py").write_text(TRAP)


def traces(folder: Path) -> list[str]:
    """The traps that were run."""
    return sorted(path.name for path in folder.rglob("trace-of-*"))
