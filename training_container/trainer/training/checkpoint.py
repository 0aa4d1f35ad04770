"""Checkpoints of a trial after each epoch, from which an interrupted job continues to the same result.

SageMaker restores /opt/ml/checkpoints when it resumes a spot job; without that folder, nothing is saved. Each job has a
folder of its own in it. The file holds plain arrays and JSON: reading it runs no code.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.keras_loader import keras
from trainer.types import Say

Arrays = list[npt.NDArray[Any]]

FILE = "trial.npz"
FACTS = "facts"


class TrialProgress(NamedTuple):
    """The last completed epoch, and the best one with its metrics and weights."""

    epoch: int
    best_epoch: int
    best_metrics: dict[str, float]
    best_weights: Arrays


class Checkpoints:
    """The checkpoint of one trial; `settings` identify the trial."""

    def __init__(self, folder: Path, settings: dict[str, Any], say: Say) -> None:
        self._folder, self._settings, self._say = folder, settings, say

    def save(self, network: keras.Model, rng: np.random.Generator, progress: TrialProgress) -> None:
        """Replaces the checkpoint atomically, so that a killed job leaves a complete one."""
        if not self._folder.is_dir():
            return
        facts = {
            "settings": self._settings,
            "rng": rng.bit_generator.state,
            "epoch": progress.epoch,
            "best_epoch": progress.best_epoch,
            "best_metrics": progress.best_metrics,
        }
        arrays = {f"state{i}": np.asarray(variable) for i, variable in enumerate(_state(network))}
        arrays |= {f"best{i}": array for i, array in enumerate(progress.best_weights)}
        unfinished = self._folder / f"{FILE}.part"
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays, **{FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8)})
            os.fsync(file.fileno())
        unfinished.replace(self._folder / FILE)

    def restore(self, network: keras.Model, rng: np.random.Generator) -> TrialProgress | None:
        """Restores network, optimizer and `rng` from the checkpoint; None if there is none for this trial."""
        if not (self._folder / FILE).is_file():
            return None
        try:
            with (self._folder / FILE).open("rb") as file, np.load(file, allow_pickle=False) as saved:
                facts = json.loads(saved[FACTS].tobytes())
                if facts["settings"] != self._settings:
                    self._say("The checkpoint is of another trial: starting from scratch.")
                    return None
                state = [saved[f"state{i}"] for i in range(len(_state(network)))]
                best = [saved[f"best{i}"] for i in range(len(network.weights))]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            self._say(f"The checkpoint can't be read ({error}): starting from scratch.")
            return None
        for variable, value in zip(_state(network), state, strict=True):
            variable.assign(value)
        rng.bit_generator.state = facts["rng"]
        self._say(f"continuing after epoch {facts['epoch']} from the checkpoint")
        return TrialProgress(facts["epoch"], facts["best_epoch"], facts["best_metrics"], best)


def _state(network: keras.Model) -> list[Any]:
    """The weights, the seeds of random layers, and the optimizer's variables."""
    return [*network.variables, *network.optimizer.variables]
