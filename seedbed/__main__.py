"""Starts every command, also as `python -m seedbed`: no file in the current folder runs as code.

Any Python 3 can load this module, to explain that Seedbed needs another one. Until the rest is loaded, which takes a
second, a signal ends the process at once.
"""

import os
import site
import sys

NO_FOLDER = "The current folder was deleted: change to another one, then run this again."


def main() -> None:
    """Run the command. The current folder is not on the module search path, here or in child processes."""
    os.environ.pop("PYTHONPATH", None)
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        current = os.getcwd()  # noqa: PTH109  pathlib might be a file of that folder
    except FileNotFoundError:
        sys.exit(f"Error: {NO_FOLDER}")
    sys.path[:] = safe_path(sys.path, current)
    from .platforms import obstacle  # noqa: PLC0415  not before the path is safe

    if obstacle():
        sys.exit(f"Error: {obstacle()}")
    from . import interrupts  # noqa: PLC0415

    interrupts.leave_at_once()
    from .cli import main as run_command  # noqa: PLC0415  slow to load: signals are handled by now

    run_command()


def safe_path(path: "list[str]", present: str) -> "list[str]":
    """The path without the current folder, unless Python or Seedbed is installed there."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    installed = {library, os.path.join(library, "lib-dynload"), own, *site.getsitepackages()}  # noqa: PTH118
    return [entry for entry in path if entry in installed or entry not in {"", ".", present}]


if __name__ == "__main__":
    main()
