"""Python environments of images and jobs that run as processes: what they install never reaches Seedbed's own.

An image's environment holds what its Dockerfile installs with pip, and is kept under a name made from that. A job's own
comes before it, takes what the job installs itself, and is removed with the job. Both see Seedbed's packages after
theirs.
"""

import hashlib
import json
import logging
import os
import shutil
import site
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from .images import Image, own_search_path
from .pip_lines import Installation, installations

log = logging.getLogger(__name__)

SECONDS_TO_INSTALL = 1800
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
COMPLETE = "complete"
TELL = 'printf "%s\\n" "$0" >&2; exec "$@"'
PIP = '#!/bin/sh\nexec {python} -m pip "$@"\n'


class PythonEnvironments:
    """The environments below a folder."""

    def __init__(self, folder: Path) -> None:
        self._images = folder / "images"
        self._jobs = folder / "jobs"
        self._lock = threading.Lock()

    def remove_leftovers(self) -> None:
        """Remove environments of jobs that an earlier process left."""
        shutil.rmtree(self._jobs, ignore_errors=True)

    def of_image(self, image: Image) -> tuple[Path | None, str]:
        """The environment with what an image installs, None for none; and a sentence on what could not be installed."""
        wanted = installations(image.stage)
        if not wanted:
            return None, ""
        folder = self._images / _digest(wanted)
        with self._lock:
            if not (folder / COMPLETE).exists():
                shutil.rmtree(folder, ignore_errors=True)
                write_environment(folder, seedbeds_own())
                failed = [sentence for one in wanted if (sentence := _install(one, folder))]
                (folder / COMPLETE).write_text(" ".join(failed), encoding="utf-8")
        return folder, (folder / COMPLETE).read_text(encoding="utf-8")

    def of_job(self, name: str, image: Image) -> "JobEnvironment":
        """A new environment for a job, before that of its image. Raises OSError."""
        installed, problem = self.of_image(image)
        folder = self._jobs / name
        shutil.rmtree(folder, ignore_errors=True)
        places = [folder, *([installed] if installed else [])]
        write_environment(folder, [*map(packages_of, places[1:]), *seedbeds_own()])
        return JobEnvironment(tuple(places), problem)


@dataclass(frozen=True)
class JobEnvironment:
    """Where a job's packages are. places: its own environment, then its image's. problem: what its log tells first."""

    places: tuple[Path, ...] = ()
    problem: str = ""

    def variables(self, path: str) -> dict[str, str]:
        """What the environment changes in the job's variables, of which `path` is its PATH."""
        if not self.places:
            return {}
        programs = os.pathsep.join([*(str(place / "bin") for place in self.places), own_search_path()])
        return {
            "PATH": path.replace(own_search_path(), programs, 1),
            "VIRTUAL_ENV": str(self.places[0]),
            "PIP_USER": "0",
        }

    def telling(self, words: list[str]) -> list[str]:
        """The command, which first tells of the problem, if there is one."""
        return ["/bin/sh", "-c", TELL, self.problem, *words] if self.problem else words

    def close(self) -> None:
        """Remove the job's own environment."""
        for place in self.places[:1]:
            shutil.rmtree(place, ignore_errors=True)


def write_environment(folder: Path, behind: Sequence[Path]) -> None:
    """Write a virtual environment of this Python. behind: folders of packages that it sees too, in this order."""
    programs, packages = folder / "bin", packages_of(folder)
    for made in (programs, packages):
        made.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n", encoding="utf-8"
    )
    for name in ("python", "python3", f"python{VERSION}"):
        (programs / name).symlink_to(base)
    for name in ("pip", "pip3", f"pip{VERSION}"):
        (programs / name).write_text(PIP.format(python=quote(str(programs / "python"))), encoding="utf-8")
        (programs / name).chmod(0o755)
    adding = "; ".join(f"site.addsitedir({str(place)!r})" for place in behind)
    (packages / "behind.pth").write_text(f"import site; {adding}\n", encoding="utf-8")


def packages_of(folder: Path) -> Path:
    """Where an environment keeps its packages."""
    return folder / "lib" / f"python{VERSION}" / "site-packages"


def seedbeds_own() -> list[Path]:
    """The folders of packages of the Python that runs this."""
    found = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    return [Path(folder) for folder in found if Path(folder).is_dir()]


def _digest(wanted: Sequence[Installation]) -> str:
    """One name for the same packages and the same Python, whatever the Dockerfile is called."""
    content = [
        [[*one.arguments], [hashlib.sha256(path.read_bytes()).hexdigest() for path in one.files]] for one in wanted
    ]
    text = json.dumps([sys.version, [str(path) for path in seedbeds_own()], content])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _install(wanted: Installation, folder: Path) -> str:
    """Install into an environment. Returns a sentence on why that failed, empty if it did not."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    shown = f"pip install {' '.join(wanted.arguments)}"
    log.warning("%s, for an image, into %s", shown, folder)
    try:
        done = subprocess.run(
            [*command, *wanted.arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "PIP_USER": "0"},
            timeout=SECONDS_TO_INSTALL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`{shown}` failed, so the job has what Seedbed has: {error}"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    return f"`{shown}` failed, so the job has what Seedbed has: {lines[-1] if lines else done.returncode}"
