"""A job loads and does only what it needs before its first step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer.conftest import run_script
from trainer.keras_loader import keras
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.trial import compile_for

LOADED = """
import sys
from trainer.keras_loader import keras
print(keras.backend.backend(), *sorted({"jax", "matplotlib", "pandas", "sklearn"} & sys.modules.keys()))
import matplotlib.figure, pandas
"""


def test_unused_packages_are_not_loaded_with_keras_but_can_be_later(tmp_path: Path) -> None:
    assert run_script(LOADED, tmp_path) == "tensorflow\n"
    assert run_script(LOADED, tmp_path, KERAS_BACKEND="jax").startswith("jax jax")


def test_a_persons_keras_settings_do_not_choose_the_backend(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert run_script(LOADED, tmp_path, KERAS_HOME=str(tmp_path)) == "tensorflow\n"


@pytest.mark.parametrize("average_over", [0, 10])
def test_a_training_step_is_traced_once(average_over: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    network = build_head(features, 2, Hyperparameters())
    compile_for(network, Hyperparameters(), steps=10, average_over=average_over)
    traced = []
    train_step = keras.Model.train_step

    def counted(self: Any, *arguments: Any) -> Any:
        traced.append(self.name)
        return train_step(self, *arguments)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    for _ in range(3):
        network.train_on_batch(features, np.eye(2, dtype=np.float32)[[0, 1] * 4], np.ones(8, np.float32))
    assert len(traced) == 1
