"""An interrupted trial continues to the same result, and a checkpoint from outside is not trusted."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.children import started
from tests.trainer.conftest import CONTAINER, FINE_TUNING, HYPERPARAMETERS, Flow, Run, training_job
from trainer.job import JobPaths
from trainer.keras_loader import keras
from trainer.training.checkpoint import FILE, Checkpoints, TrialProgress

# NumPy 2 warns of the way in which Keras 3.15 turns TensorFlow's variables into arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

KINDS = {"head": {**HYPERPARAMETERS, "epochs": "6"}, "fine-tune": {**FINE_TUNING, "epochs": "3"}}


def lay_out(prepared: Flow, base: Path, kind: str) -> Path:
    channels = {"head": {"features": prepared.pack / "features"}, "fine-tune": {"training": prepared.pack / "training"}}
    training_job(base, KINDS[kind], **channels[kind])
    return base


def killed_after_epoch(base: Path, epoch: int) -> None:
    """Trains until this epoch was printed and its checkpoint exists, then kills the process."""
    command = [sys.executable, "-m", "trainer", "train"]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    with started(command, cwd=CONTAINER, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(f"epoch {epoch + 1}/"):  # the checkpoint of the epoch before is complete by now
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_trial_continues_to_the_same_result(
    kind: str, prepared: Flow, run_trainer: Run, tmp_path: Path
) -> None:
    whole = run_trainer(lay_out(prepared, tmp_path / "whole", kind), "train").stdout.splitlines()
    interrupted = lay_out(prepared, tmp_path / "interrupted", kind)
    killed_after_epoch(interrupted, 1)
    first, *rest = run_trainer(interrupted, "train").stdout.splitlines()
    done = re.fullmatch(r"continuing after epoch (\d+) from the checkpoint", first)
    assert done
    assert rest == whole[int(done.group(1)) :]
    facts = [json.loads((base / "model/model.json").read_text()) for base in (tmp_path / "whole", interrupted)]
    assert facts[0] == facts[1]


def test_trials_that_share_a_place_for_checkpoints_keep_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints").mkdir()
    for job, seed in (("sb-0123456789abcdef-1-001-0a1b2c3d", 1), ("sb-0123456789abcdef-1-002-0a1b2c3d", 2)):
        monkeypatch.setenv("TRAINING_JOB_NAME", job)
        folder = JobPaths(tmp_path).own_checkpoints()
        assert Checkpoints(folder, {"seed": seed}, print).restore(network(), np.random.default_rng()) is None
        saved(folder, {"seed": seed})
        assert (tmp_path / "checkpoints" / job / FILE).is_file()

    monkeypatch.setenv("TRAINING_JOB_NAME", "sb-0123456789abcdef-1-001-0a1b2c3d")
    said = list[str]()
    own = JobPaths(tmp_path).own_checkpoints()
    assert Checkpoints(own, {"seed": 1}, said.append).restore(network(), np.random.default_rng())
    assert said == ["continuing after epoch 3 from the checkpoint"]


def test_no_folder_is_made_where_checkpoints_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_JOB_NAME", "sb-0123456789abcdef-1-001-0a1b2c3d")

    JobPaths(tmp_path).own_checkpoints()

    assert not list(tmp_path.iterdir())


def network() -> Any:
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(2, activation="softmax")])
    made.compile(optimizer=keras.optimizers.AdamW(1e-2, use_ema=True), loss="categorical_crossentropy")
    made.optimizer.build(made.trainable_variables)
    return made


def step(made: Any, rng: np.random.Generator) -> float:
    return float(
        made.train_on_batch(rng.random((8, 4), np.float32), np.eye(2, dtype=np.float32)[rng.integers(2, size=8)])
    )


def saved(folder: Path, settings: dict[str, Any]) -> tuple[Any, np.random.Generator, list[str]]:
    """A network after three steps, its random generator and its log, with a saved checkpoint."""
    made, rng, said = network(), np.random.default_rng(2), list[str]()
    for _ in range(3):
        step(made, rng)
    Checkpoints(folder, settings, said.append).save(made, rng, TrialProgress(3, 2, {"loss": 1.0}, made.get_weights()))
    return made, rng, said


def test_a_restored_network_takes_the_same_steps_as_the_original(tmp_path: Path) -> None:
    made, rng, said = saved(tmp_path, {"seed": 1})
    restored, other_rng = network(), np.random.default_rng(99)
    progress = Checkpoints(tmp_path, {"seed": 1}, said.append).restore(restored, other_rng)
    assert progress
    assert (progress.epoch, progress.best_epoch, progress.best_metrics) == (3, 2, {"loss": 1.0})
    assert [step(restored, other_rng) for _ in range(3)] == [step(made, rng) for _ in range(3)]


def test_the_checkpoint_of_another_trial_is_not_used(tmp_path: Path) -> None:
    _, _, said = saved(tmp_path, {"seed": 1})
    assert Checkpoints(tmp_path, {"seed": 2}, said.append).restore(network(), np.random.default_rng()) is None
    assert said == ["The checkpoint is of another trial: starting from scratch."]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "pickle"])
def test_a_damaged_checkpoint_is_reported_and_not_used(damage: str, tmp_path: Path) -> None:
    _, _, said = saved(tmp_path, {})
    file = tmp_path / FILE
    match damage:
        case "cut":
            file.write_bytes(file.read_bytes()[:-100])
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("not a checkpoint")
        case "pickle":
            np.savez(file, facts=np.array([{"settings": {}}], dtype=object))
    assert Checkpoints(tmp_path, {}, said.append).restore(network(), np.random.default_rng()) is None
    assert said[0].startswith("The checkpoint can't be read")


def test_nothing_is_saved_without_a_checkpoint_folder(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none", {}, print)
    made, rng = network(), np.random.default_rng()
    checkpoints.save(made, rng, TrialProgress(1, 1, {}, made.get_weights()))
    assert checkpoints.restore(made, rng) is None
    assert not list(tmp_path.iterdir())
