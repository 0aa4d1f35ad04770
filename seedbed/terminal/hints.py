"""Commands to type next. They work in any folder of the same shell, and in another one."""

import os
import shlex
import shutil
import sys
from pathlib import Path

HOME = "SEEDBED_HOME"


def seedbed(*words: object, aws: str = "", home: Path | None = None) -> str:
    """A command to type, for the stack `aws`, or for `home`, by default the one that SEEDBED_HOME names now."""
    named = home or (Path(os.environ[HOME]) if os.environ.get(HOME) else None)
    variable = f"{HOME}={quoted(named)} " if named and not aws else ""
    stack = f" --aws {shlex.quote(aws)}" if aws else ""
    return f"{variable}{program()} {' '.join(map(str, words))}{stack}"


def quoted(path: Path) -> str:
    """The absolute path, as a shell takes it."""
    return shlex.quote(str(path.absolute()))


def program() -> str:
    """How to run this program: by its name if the shell finds it."""
    installed = Path(sys.executable).with_name("seedbed")
    return "seedbed" if shutil.which("seedbed") or not installed.exists() else quoted(installed)
