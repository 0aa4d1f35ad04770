"""The functions' packages: their code, and the wheels that Lambda's Python needs, whatever Python runs here."""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..bundle import PACKAGES, REQUIREMENTS, code_of
from ..errors import SeedbedError
from ..terminal.text import printable
from .archive import files_of
from .template import TemplateFile

PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = ("manylinux2014", "manylinux_2_28", "manylinux_2_34")
"""What Amazon Linux 2023 runs, on which Lambda's Python is built."""
SHARED = ("--only-binary=:all:", "--no-deps", "--require-hashes", "--quiet")
OF_THE_INSTALLER = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}
NO_INSTALLER = "The functions' packages are fetched with pip, which is not installed here. Install it: {} -m ensurepip"
NOT_FETCHED = (
    "The functions' packages could not be fetched from the package index ({}). Check the connection and what pip is "
    "configured to use, then run this again."
)


def packages(template: TemplateFile) -> dict[str, dict[str, bytes]]:
    """The files of the functions' packages, by their CodeUri. Raises SeedbedError if a wheel can't be fetched."""
    return {uri: package(uri, template) for uri in PACKAGES}


def package(uri: str, template: TemplateFile) -> dict[str, bytes]:
    """The files of the package of the functions with this CodeUri. Raises SeedbedError if a wheel can't be fetched."""
    code = next(code for code in template.code if code.uri == uri)
    with tempfile.TemporaryDirectory(prefix="seedbed-") as folder:
        target = Path(folder)
        fetch(target, code.python, PLATFORMS[code.architecture], PACKAGES[uri] / REQUIREMENTS)
        found = files_of(target)
    libraries = {name: body for name, body in found.items() if is_needed(Path(name))}
    return {**libraries, **code_of(PACKAGES[uri])}


def is_needed(path: Path) -> bool:
    """Whether an installed file is part of a library: neither a command nor the installer's own note."""
    if path.parts[0] == "bin":
        return False
    return not (path.parts[0].endswith(".dist-info") and path.name in OF_THE_INSTALLER)


def fetch(target: Path, python: str, machine: str, requirements: Path) -> None:
    """Install the pinned wheels for another Python and machine into a folder."""
    words = [*installer(python, machine), *SHARED, "--target", str(target), "-r", str(requirements)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise SeedbedError(NOT_FETCHED.format(printable(lines[-1].strip() if lines else "no reason was given")))


def installer(python: str, machine: str) -> list[str]:
    """The command that installs for another Python and machine: pip, or uv where there is no pip."""
    if find_spec("pip"):
        platforms = [word for glibc in GLIBC for word in ("--platform", f"{glibc}_{machine}")]
        own = ["--disable-pip-version-check", "--no-input", "--no-compile", "--ignore-requires-python"]
        return [sys.executable, "-m", "pip", "install", *own, *platforms, "--python-version", python]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if not uv:
        raise SeedbedError(NO_INSTALLER.format(sys.executable))
    target = f"{machine}-manylinux_2_28"
    return [uv, "pip", "install", "--python-platform", target, "--python-version", python]
