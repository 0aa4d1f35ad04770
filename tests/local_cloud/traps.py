"""Traps in a current folder: a file named like each module, which leaves a trace if it runs."""

import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

TRAP = """
folder, _, name = __file__.rpartition("/")
open(folder + "/trace-of-" + name.removesuffix(".py"), "w").close()
raise SystemExit("a file of the current folder was run: " + __file__)
"""


def lay_traps(folder: Path) -> Path:
    """Add a trap for each module of the standard library and each installed package, Seedbed included."""
    lay(folder, sys.stdlib_module_names)
    for package in ("seedbed", "trainer", "ministack"):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").write_text(TRAP)
    return lay_library_traps(folder)


def lay_library_traps(folder: Path) -> Path:
    """Add traps for third-party packages only, without what Python itself imports at its start."""
    lay(folder, (name for name in packages_distributions().keys() - {"seedbed"} if not name.startswith("_")))
    return folder


def lay(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        if name.isidentifier() and not (folder / f"{name}.py").exists():
            (folder / f"{name}.py").write_text(TRAP)


def traces(folder: Path) -> list[str]:
    """The traps that ran."""
    return sorted(path.name for path in folder.rglob("trace-of-*"))
