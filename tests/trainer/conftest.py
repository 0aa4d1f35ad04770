"""Runs the trainer as a process, and one whole flow that several tests share."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from tests.children import run
from tests.trainer.costly_pictures import COMMENT, jpeg_with
from tests.trainer.painting import LABELS, archive, paint, paint_dataset
from trainer.decoding.pool import DecoderPool

CONTAINER = Path(__file__).parents[2] / "training_container"
WITHOUT_NETWORK = ["unshare", "--map-root-user", "--net"]

Run = Callable[..., subprocess.CompletedProcess[str]]


def isolation() -> list[str]:
    """The prefix of a command that runs it without a network, as SageMaker does; empty if this machine can't do it."""
    try:
        run([*WITHOUT_NETWORK, "true"], check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return WITHOUT_NETWORK


def run_script(script: str, folder: Path, **environment: str) -> str:
    """Runs a script that can import the trainer as a process in `folder`, and returns what it prints."""
    done = run(
        [sys.executable, "-c", script], cwd=folder, env={**os.environ, "PYTHONPATH": str(CONTAINER), **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def decoders() -> Iterator[DecoderPool]:
    """DecoderPool with the default limits."""
    with DecoderPool() as decoders:
        yield decoders


@pytest.fixture(scope="session")
def run_trainer() -> Run:
    """Runs `python -m trainer` as SageMaker does, without a network and with a directory in place of /opt/ml."""
    isolated = isolation()

    def run_it(base: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run(
            [*isolated, sys.executable, "-m", "trainer", *arguments],
            cwd=CONTAINER,
            env={**os.environ, "SAGEMAKER_BASE_DIR": str(base), **environment},
        )

    return run_it


class Flow:
    """The output of prepare, train and evaluate, each in its own base directory."""

    def __init__(self, folder: Path) -> None:
        self.prepare, self.train, self.fine_tune, self.evaluate = (
            folder / verb for verb in ("prepare", "train", "fine-tune", "evaluate")
        )
        self.log: dict[str, subprocess.CompletedProcess[str]] = {}

    @property
    def pack(self) -> Path:
        """The bucket's `pack/`."""
        return self.prepare / "processing/output"

    @property
    def evaluation(self) -> Path:
        """The bucket's `evaluation/`."""
        return self.evaluate / "processing/output"

    def report(self) -> dict[str, Any]:
        """The content of the dataset report."""
        report: dict[str, Any] = json.loads((self.pack / "report.json").read_text(encoding="utf-8"))
        return report

    def scores(self) -> dict[str, Any]:
        """The content of evaluation.json."""
        scores: dict[str, Any] = json.loads((self.evaluation / "evaluation.json").read_text(encoding="utf-8"))
        return scores


HYPERPARAMETERS = {
    "learning_rate": "0.003",
    "epochs": "3",
    "batch_size": "16",
    "augmentation": "0.4",
    "dropout": "0.2",
    "weight_decay": "0.01",
    "hidden_units": "8",
    "seed": "7",
    "_tuning_objective_metric": "validation_accuracy",
}


FINE_TUNING = {
    "kind": "fine-tune",
    "epochs": "2",
    "batch_size": "16",
    "learning_rate": "0.00005",
    "augmentation": "0.2",
    "hidden_units": "8",
    "seed": "7",
}


def training_job(base: Path, hyperparameters: dict[str, str], **channels: Path) -> None:
    """Creates the input of a training job as SageMaker does; each channel is a link to its folder."""
    (base / "input/config").mkdir(parents=True)
    (base / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    (base / "input/data").mkdir()
    (base / "checkpoints").mkdir()
    for name, folder in channels.items():
        (base / "input/data" / name).symlink_to(folder)


def pack_model(trained: Path, path: Path) -> None:
    """Packs a training job's model folder into a model.tar.gz, as SageMaker does."""
    files = {file.name.replace(".", "__"): file.read_bytes() for file in (trained / "model").iterdir()}
    archive(path, **files)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, run_trainer: Run) -> Flow:
    """The flow up to the pack; each step is a real process on the output of the one before."""
    flow = Flow(tmp_path_factory.mktemp("flow"))
    images = flow.prepare / "processing/input/images"
    paint_dataset(images, per_label=30)
    (images / "Maize/notes.jpg").write_text("weed the third row")
    shutil.copy(images / "Maize/003 a+b 50% #ä.png", images / "Maize/copy.png")
    with Image.open(images / "Maize/007 a+b 50% #ä.png") as of_the_test_split:
        ImageOps.mirror(of_the_test_split).save(images / "Maize/mirrored.png")  # would be a training image
    (images / "Maize/link.png").symlink_to("copy.png")
    (images / "Maize/costly.jpg").write_bytes(jpeg_with(COMMENT, 6_000_000))
    shutil.copy(images / "Maize/copy.png", images / "Maize" / os.fsdecode(b"\xff.png"))
    paint(LABELS["Maize"], 5000, side=700).save(images / "Maize/large field.jpg")
    flow.log["prepare"] = run_trainer(
        flow.prepare, "prepare", "--image-size", "48", "--views", "3", "--fine-tune-size", "40"
    )
    return flow


@pytest.fixture(scope="session")
def trained(prepared: Flow, run_trainer: Run) -> Flow:
    """The flow up to a head, packed for fine-tuning."""
    flow = prepared
    training_job(flow.train, HYPERPARAMETERS, features=flow.pack / "features")
    flow.log["train"] = run_trainer(flow.train, "train")

    pack_model(flow.train, flow.fine_tune / "head/model.tar.gz")
    return flow


@pytest.fixture(scope="session")
def flow(trained: Flow, run_trainer: Run) -> Flow:
    """The whole flow: prepare, a head, fine-tuning and evaluate."""
    flow = trained
    training_job(flow.fine_tune, FINE_TUNING, training=flow.pack / "training", head=flow.fine_tune / "head")
    flow.log["fine-tune"] = run_trainer(flow.fine_tune, "train")

    for split in ("test", "validation"):
        shutil.copytree(flow.pack / split, flow.evaluate / "processing/input" / split)
    pack_model(flow.fine_tune, flow.evaluate / "processing/input/model/model.tar.gz")
    pack_model(flow.train, flow.evaluate / "processing/input/rival/model.tar.gz")
    flow.log["evaluate"] = run_trainer(flow.evaluate, "evaluate", "--views", "8", "--exports=saved_model")
    return flow
