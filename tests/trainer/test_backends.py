"""The same trials run on TensorFlow and JAX, and each backend reads the other's models."""

import re
import shutil
from pathlib import Path

import pytest

from tests.trainer.conftest import FINE_TUNING, HYPERPARAMETERS, Flow, Run, pack_model, training_job

BEST = r"best epoch \d+ - .*validation_loss: ([0-9.]+); validation_accuracy: ([0-9.]+);"


def best(log: str) -> tuple[float, float]:
    """Validation loss and accuracy of the best epoch."""
    (found,) = re.findall(BEST, log)
    return float(found[0]), float(found[1])


def test_a_head_on_jax_scores_as_on_tensorflow(trained: Flow, run_trainer: Run, tmp_path: Path) -> None:
    training_job(tmp_path, HYPERPARAMETERS, features=trained.pack / "features")
    on_jax = run_trainer(tmp_path, "train", KERAS_BACKEND="jax")
    assert on_jax.returncode == 0, on_jax.stderr
    _, on_tensorflow = best(trained.log["train"].stdout)
    assert best(on_jax.stdout)[1] == pytest.approx(on_tensorflow, abs=0.15)  # other random numbers

    resumed = run_trainer(tmp_path, "train", KERAS_BACKEND="jax")
    assert resumed.stdout.splitlines()[-1] == on_jax.stdout.splitlines()[-1]

    inputs = tmp_path / "evaluate/processing/input"
    for split in ("test", "validation"):
        shutil.copytree(trained.pack / split, inputs / split)
    pack_model(tmp_path, inputs / "model/model.tar.gz")
    evaluated = run_trainer(tmp_path / "evaluate", "evaluate")
    assert evaluated.returncode == 0, evaluated.stderr


def test_fine_tuning_on_jax_starts_from_a_tensorflow_head_and_shares_batches(
    trained: Flow, run_trainer: Run, tmp_path: Path
) -> None:
    """Only one epoch, as JAX takes most of a minute to compile the gradients for a processor; here it plays two."""
    channels = {"training": trained.pack / "training", "head": trained.fine_tune / "head"}
    training_job(tmp_path, {**FINE_TUNING, "epochs": "1"}, **channels)
    two = "--xla_force_host_platform_device_count=2"
    on_jax = run_trainer(tmp_path, "train", KERAS_BACKEND="jax", XLA_FLAGS=two)
    assert on_jax.returncode == 0, on_jax.stderr
    assert on_jax.stdout.startswith("Each batch is shared by 2 devices.")
    assert best(on_jax.stdout)[1] >= 0.5  # three labels
