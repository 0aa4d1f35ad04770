"""Keras runs on TensorFlow or JAX: the same trials, and models that each other's backend can read."""

import re
from pathlib import Path

import pytest

from tests.trainer.conftest import FINE_TUNING, HYPERPARAMETERS, Flow, Run, pack_model, training_job

BEST = r"best epoch \d+ - .*validation_loss: ([0-9.]+); validation_accuracy: ([0-9.]+);"


def best(log: str) -> tuple[float, float]:
    """Validation loss and accuracy of the best epoch."""
    (found,) = re.findall(BEST, log)
    return float(found[0]), float(found[1])


@pytest.mark.parametrize("kind", ["head", "fine-tune"])
def test_a_trial_on_jax_comes_to_what_it_comes_to_on_tensorflow(
    kind: str, flow: Flow, run_trainer: Run, tmp_path: Path
) -> None:
    if kind == "head":
        training_job(tmp_path, HYPERPARAMETERS, features=flow.pack / "features")
    else:
        training_job(tmp_path, FINE_TUNING, training=flow.pack / "training", head=flow.fine_tune / "head")
    on_jax = run_trainer(tmp_path, "train", KERAS_BACKEND="jax")
    assert on_jax.returncode == 0, on_jax.stderr
    tensorflow_loss, tensorflow_accuracy = best(flow.log["train" if kind == "head" else kind].stdout)
    loss, accuracy = best(on_jax.stdout)
    assert loss == pytest.approx(tensorflow_loss, rel=0.25)  # dropout draws other numbers
    assert accuracy == pytest.approx(tensorflow_accuracy, abs=0.1)
    resumed = run_trainer(tmp_path, "train", KERAS_BACKEND="jax")
    assert resumed.stdout.splitlines()[-1] == on_jax.stdout.splitlines()[-1]

    pack_model(tmp_path, tmp_path / "model.tar.gz")
    for split in ("test", "validation"):
        (tmp_path / "evaluate/processing/input" / split).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "evaluate/processing/input" / split).symlink_to(flow.pack / split)
    (tmp_path / "evaluate/processing/input/model").mkdir()
    (tmp_path / "model.tar.gz").rename(tmp_path / "evaluate/processing/input/model/model.tar.gz")
    evaluated = run_trainer(tmp_path / "evaluate", "evaluate")
    assert evaluated.returncode == 0, evaluated.stderr
