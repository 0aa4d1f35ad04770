"""The hyperparameters of the heads that one job trains: its own, and variations of them."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np

from trainer.training.hyperparameters import RANGES, Hyperparameters

FACTORS: Mapping[str, float] = {"learning_rate": 1.5, "weight_decay": 1.5, "batch_size": 1.35}
"""The largest factor that a value is multiplied or divided by."""
STEPS: Mapping[str, float] = {"augmentation": 0.15, "dropout": 0.1}
"""The largest step that a value is raised or lowered by."""
VARIED = (*FACTORS, *STEPS, "seed")


def variations(chosen: Hyperparameters) -> list[Hyperparameters]:
    """`chosen.heads` sets of hyperparameters, `chosen` itself first; the same for the same `chosen`, on any sample.

    The number of epochs is not varied: how long a job takes is chosen by whoever chose its hyperparameters.
    """
    proposal = {name: value for name, value in asdict(chosen).items() if name != "sample"}
    rng = np.random.default_rng(zlib.crc32(json.dumps(proposal).encode()))
    return [chosen, *(_varied(chosen, number, rng) for number in range(1, chosen.heads))]


def varied_values(chosen: Hyperparameters) -> dict[str, str]:
    """The hyperparameters that differ between the heads of a job, as text."""
    return {name: str(getattr(chosen, name)) for name in VARIED}


def _varied(chosen: Hyperparameters, number: int, rng: np.random.Generator) -> Hyperparameters:
    drawn = {name: getattr(chosen, name) * largest ** rng.uniform(-1, 1) for name, largest in FACTORS.items()}
    drawn |= {name: getattr(chosen, name) + rng.uniform(-largest, largest) for name, largest in STEPS.items()}
    values = {name: _legal(name, float(f"{value:.4g}")) for name, value in drawn.items()}
    seed = (chosen.seed + number) % int(RANGES["seed"][1] + 1)
    return replace(chosen, **{**values, "batch_size": round(values["batch_size"]), "seed": seed})  # type: ignore[arg-type]


def _legal(name: str, value: float) -> float:
    least, most = RANGES[name]
    return min(max(value, least), most)
