"""Built packages, and virtual environments that have one of them and know nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.children import run
from tests.contract.template import ROOT

UV = Path(sys.executable).with_name("uv")
SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "copy"}
OUT_OF_REACH = "The package index can't be reached, so nothing can be installed from it: {}"


def uv(*words: object) -> "subprocess.CompletedProcess[str]":
    """What came of uv, this environment's own or the person's."""
    program = UV if UV.exists() else shutil.which("uv")
    if program is None:
        pytest.skip("uv is not installed: `make .venv/dev` installs it.")
    return run([program, *words], cwd=ROOT, env={**os.environ, **SETTINGS})


def uv_with_index(*words: object) -> None:
    """Has uv do what takes packages from the index; skips the test where that can't be reached."""
    done = uv(*words)
    if done.returncode and ("error sending request" in done.stderr or "Network connectivity" in done.stderr):
        pytest.skip(OUT_OF_REACH.format(done.stderr.strip().splitlines()[-1]))
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder in which its commands are run."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Environment":
        """A new one, of the Python that runs the tests."""
        assert uv("venv", "--quiet", "--python", sys.executable, folder / "env").returncode == 0
        (folder / "empty").mkdir()
        return cls(folder)

    @property
    def python(self) -> Path:
        return self.folder / "env/bin/python"

    @property
    def seedbed(self) -> Path:
        return self.folder / "env/bin/seedbed"

    @property
    def current(self) -> Path:
        return self.folder / "empty"

    @property
    def packages(self) -> Path:
        """Where its packages are."""
        return next(self.folder.glob("env/lib/python3*/site-packages"))

    def install(self, wheel: Path, extra: str = "") -> None:
        """Installs a wheel with what it needs, and what its extra adds."""
        uv_with_index("pip", "install", "--quiet", "--python", self.python, f"{wheel}[{extra}]" if extra else wheel)

    def install_among_the_tests_packages(self, wheel: Path) -> None:
        """Installs a wheel alone, and lends it all that is installed where the tests run."""
        assert uv("pip", "install", "--quiet", "--no-deps", "--python", self.python, wheel).returncode == 0
        (self.packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def run(self, *words: object, **settings: str) -> "subprocess.CompletedProcess[str]":
        """What came of `seedbed`, run in the empty folder."""
        environment = {**os.environ, "COLUMNS": "200", **settings}
        return run([self.seedbed, *words], cwd=self.current, env=environment)
