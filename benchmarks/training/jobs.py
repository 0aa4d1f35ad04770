"""The container's verbs as SageMaker runs them: each a process, with a folder of its own in the place of /opt/ml."""

import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import NamedTuple

CONTAINER = Path(__file__).parents[2] / "training_container"


class Line(NamedTuple):
    """What a job printed, and how many seconds after its start."""

    seconds: float
    text: str


class Ran(NamedTuple):
    """A job that is done: its folder, how long its process took, and what it printed."""

    folder: Path
    seconds: float
    lines: list[Line]


def prepare(folder: Path, images: Path, arguments: list[str]) -> Ran:
    inputs = folder / "processing/input"
    inputs.mkdir(parents=True)
    (inputs / "images").symlink_to(images.absolute())
    return _run(folder, ["prepare", *arguments])


def train(folder: Path, hyperparameters: dict[str, str], channels: dict[str, Path]) -> Ran:
    (folder / "input/config").mkdir(parents=True)
    (folder / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    (folder / "input/data").mkdir()
    (folder / "checkpoints").mkdir()
    for name, channel in channels.items():
        (folder / "input/data" / name).symlink_to(channel)
    return _run(folder, ["train"])


def evaluate(folder: Path, pack: Path, trial: Path, arguments: list[str]) -> Ran:
    """Scores the model of `trial`, a finished training job's folder, on the splits of `pack`."""
    inputs = folder / "processing/input"
    inputs.mkdir(parents=True)
    for split in ("validation", "test"):
        (inputs / split).symlink_to(pack / split)
    (inputs / "model").symlink_to(archive_of(trial))
    return _run(folder, ["evaluate", *arguments])


def archive_of(trial: Path) -> Path:
    """The folder with a finished training job's model.tar.gz, which SageMaker would have put into the bucket."""
    folder = trial / "uploaded"
    if not folder.exists():
        folder.mkdir()
        with tarfile.open(folder / "model.tar.gz", "w:gz", compresslevel=1) as archive:
            for file in (trial / "model").iterdir():
                archive.add(file, file.name)
    return folder


def _run(folder: Path, arguments: list[str]) -> Ran:
    """Without what earlier jobs on this machine have cached, as in a new container."""
    own = {"SAGEMAKER_BASE_DIR": folder, "XDG_CACHE_HOME": folder / "cache", "PYTHONPATH": CONTAINER}
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "trainer", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [Line(time.perf_counter() - began, text) for text in process.stdout]
    if process.returncode:
        raise SystemExit(f"The verb {arguments[0]} failed; the lines above say why.")
    return Ran(folder, time.perf_counter() - began, lines)
