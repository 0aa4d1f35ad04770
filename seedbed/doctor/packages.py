"""Checks of what is installed: the extras, TensorFlow, pip's index and a Docker engine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ..extras import NAME, is_missing, packages_of
from ..local_cloud.home.folder import Home
from ..local_cloud.sagemaker.containers.docker import Engine
from ..platforms import obstacle_to_tensorflow
from ..terminal.text import listed, printable
from .finding import Finding, failed, ok, warning

EXTRA = "laptop"
INSTALL = f"pip install '{NAME}[{EXTRA}]'"
IMPORT_SECONDS, INDEX_SECONDS = 180, 30
LOAD = "import keras, tensorflow; print(tensorflow.__version__, keras.__version__, keras.backend.backend())"
ASKED_FOR = "psutil"
"""A package that Seedbed needs, by which pip's index is tried."""
ILLEGAL_INSTRUCTION = -4


def installed() -> Iterator[Finding]:
    """Whether the packages are there that run the local cloud and its jobs."""
    missing = sorted({package for package in packages_of(EXTRA) if is_missing(package)})
    if not missing:
        yield ok("Packages", f"All of the extra `{EXTRA}` are installed.")
        return
    obstacle = obstacle_to_tensorflow()
    sentence = f"Commands for AWS work; the local cloud does not, without {listed(missing, 3)}."
    yield warning("Packages", sentence, obstacle or INSTALL)


def tensorflow() -> Iterator[Finding]:
    """Whether the trainer's library can be loaded, in a process of its own: it may be ended by the processor."""
    if is_missing("tensorflow"):
        return
    done = output_of([sys.executable, "-P", "-c", LOAD], IMPORT_SECONDS)
    if done is None:
        yield failed("TensorFlow", f"It did not load within {IMPORT_SECONDS} seconds.", "Close some programs.")
    elif done.returncode == ILLEGAL_INSTRUCTION:
        yield failed("TensorFlow", "This processor lacks instructions (AVX) that TensorFlow needs.", "Use AWS instead.")
    elif done.returncode:
        yield failed("TensorFlow", f"It can't be loaded: {last_line(done.stderr)}", f"Install it again: {INSTALL}")
    else:
        version, keras, backend = done.stdout.split()[-3:]
        yield ok("TensorFlow", f"{version} loads, with Keras {keras} on {backend}.")


def package_index() -> Iterator[Finding]:
    """Whether pip finds packages, as it is configured here."""
    if is_missing("pip"):
        yield ok("Package index", "Not asked: there is no pip in this environment.")
        return
    words = [sys.executable, "-m", "pip", "index", "versions", ASKED_FOR, "--retries", "0", "--timeout", "10"]
    done = output_of([*words, "--disable-pip-version-check", "--no-input"], INDEX_SECONDS)
    if done and done.returncode == 0:
        yield ok("Package index", "pip finds packages.")
        return
    why = f" ({last_line(done.stderr)})" if done else ""
    sentence = f"pip finds no packages{why}."
    yield warning("Package index", sentence, "Check the connection, and what `pip config list` prints.")


def docker(home: Home) -> Iterator[Finding]:
    """Whether a Docker engine answers. No command of Seedbed's own needs one."""
    answers = shutil.which("docker") and Engine.find(home.path)
    if answers:
        yield ok("Docker", "An engine answers: `seedbed sagemaker --containers docker` runs jobs in it.")
    else:
        yield ok("Docker", "No engine answers, and none is needed: jobs run as processes.")


def output_of(words: Sequence[str], seconds: int) -> "subprocess.CompletedProcess[str] | None":
    """What a program printed; None if it took longer."""
    said: dict[str, Any] = {"capture_output": True, "text": True, "errors": "replace"}
    try:
        return subprocess.run(words, stdin=subprocess.DEVNULL, timeout=seconds, check=False, **said)
    except subprocess.TimeoutExpired:
        return None


def last_line(text: str) -> str:
    """The last line of what a program printed, without the word that begins it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = re.sub(r"^(ERROR|[A-Za-z]+Error): ", "", lines[-1] if lines else "no reason given")
    return printable(last)[:200].rstrip(".")
