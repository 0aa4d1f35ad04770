"""Where every command begins, also as `python -m seedbed`: no file of the folder where it is given runs as code.

Any Python 3 can load this module: one that Seedbed does not run on is told so. Until the rest is loaded, which takes a
second, an interruption ends it at once.
"""

import os
import site
import sys

NO_FOLDER = "The present folder was deleted: change to another one, then run this again."


def main() -> None:
    """Run the command, with the present folder out of where modules are looked for, here and in all that it starts."""
    os.environ.pop("PYTHONPATH", None)
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        present = os.getcwd()  # noqa: PTH109  pathlib might be a file of that folder
    except FileNotFoundError:
        sys.exit(NO_FOLDER)
    sys.path[:] = safe_path(sys.path, present)
    from .platforms import obstacle  # noqa: PLC0415  what it needs is looked for from here on

    if obstacle():
        sys.exit(obstacle())
    from . import interrupts  # noqa: PLC0415

    interrupts.leave_at_once()
    from .cli import main as run_command  # noqa: PLC0415  what takes long to load is loaded once those are seen to

    run_command()


def safe_path(path: "list[str]", present: str) -> "list[str]":
    """The path without the present folder, unless that is where Python or Seedbed itself is installed."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    installed = {library, os.path.join(library, "lib-dynload"), own, *site.getsitepackages()}  # noqa: PTH118
    return [entry for entry in path if entry in installed or entry not in {"", ".", present}]


if __name__ == "__main__":
    main()
