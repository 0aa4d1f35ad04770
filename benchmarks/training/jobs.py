"""Runs the container's verbs as SageMaker does: each in its own process, with its own folder in place of /opt/ml."""

import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import NamedTuple

CONTAINER = Path(__file__).parents[2] / "training_container"


class LogLine(NamedTuple):
    """A line that a job printed, and the seconds since its start."""

    seconds: float
    text: str


class FinishedJob(NamedTuple):
    """A finished job: its folder, the seconds that its process took, and the lines that it printed."""

    folder: Path
    seconds: float
    lines: list[LogLine]


def prepare(folder: Path, images: Path, arguments: list[str]) -> FinishedJob:
    inputs = folder / "processing/input"
    inputs.mkdir(parents=True)
    (inputs / "images").symlink_to(images.absolute())
    return _run(folder, ["prepare", *arguments])


def train(folder: Path, hyperparameters: dict[str, str], channels: dict[str, Path]) -> FinishedJob:
    (folder / "input/config").mkdir(parents=True)
    (folder / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    (folder / "input/data").mkdir()
    (folder / "checkpoints").mkdir()
    for name, channel in channels.items():
        (folder / "input/data" / name).symlink_to(channel)
    return _run(folder, ["train"])


def evaluate(folder: Path, pack: Path, trial: Path, arguments: list[str]) -> FinishedJob:
    """Scores the model of `trial`, a finished training job's folder, on the splits of `pack`."""
    inputs = folder / "processing/input"
    inputs.mkdir(parents=True)
    for split in ("validation", "test"):
        (inputs / split).symlink_to(pack / split)
    (inputs / "model").symlink_to(archive_of(trial))
    return _run(folder, ["evaluate", *arguments])


def archive_of(trial: Path) -> Path:
    """A folder with a finished training job's model.tar.gz, as SageMaker would upload it."""
    folder = trial / "uploaded"
    if not folder.exists():
        folder.mkdir()
        with tarfile.open(folder / "model.tar.gz", "w:gz", compresslevel=1) as archive:
            for file in (trial / "model").iterdir():
                archive.add(file, file.name)
    return folder


def _run(folder: Path, arguments: list[str]) -> FinishedJob:
    """Runs a verb with an empty cache, as in a new container."""
    own = {"SAGEMAKER_BASE_DIR": folder, "XDG_CACHE_HOME": folder / "cache", "PYTHONPATH": CONTAINER}
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "trainer", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [LogLine(time.perf_counter() - began, text) for text in process.stdout]
    if process.returncode:
        raise SystemExit(f"The verb {arguments[0]} failed; the lines above say why.")
    return FinishedJob(folder, time.perf_counter() - began, lines)
