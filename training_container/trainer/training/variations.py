"""The hyperparameters of the heads that one job trains: its own, and variations of them."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np

from trainer.errors import BadHyperparameter
from trainer.training.hyperparameters import RANGES, Hyperparameters

FACTORS: Mapping[str, float] = {"learning_rate": 1.5, "weight_decay": 1.5, "batch_size": 1.35}
"""The largest factor that a value is multiplied or divided by."""
STEPS: Mapping[str, float] = {"augmentation": 0.15, "dropout": 0.1}
"""The largest step that a value is raised or lowered by."""
VARIED = (*FACTORS, *STEPS, "seed")
FORM = '{"dropout": [0.1, 0.4]}'

Limits = Mapping[str, tuple[float, float]]


def variations(chosen: Hyperparameters) -> list[Hyperparameters]:
    """`chosen.heads` sets of hyperparameters, `chosen` itself first; the same for the same `chosen`, on any sample.

    All but the seed stay within the limits of `chosen.varied`, and what it doesn't name stays as it is. The number of
    epochs is not varied: how long a job takes is chosen by whoever chose its hyperparameters. Raises BadHyperparameter
    if `chosen.varied` can't be read.
    """
    limits = read_limits(chosen.varied)
    proposal = {name: value for name, value in asdict(chosen).items() if name != "sample"}
    rng = np.random.default_rng(zlib.crc32(json.dumps(proposal).encode()))
    return [chosen, *(_varied(chosen, number, limits, rng) for number in range(1, chosen.heads))]


def varied_values(chosen: Hyperparameters) -> dict[str, str]:
    """The hyperparameters that may differ between the heads of a job, as text."""
    return {name: str(getattr(chosen, name)) for name in VARIED}


def read_limits(text: str) -> Limits:
    """The lowest and highest value of what may vary; the trainer's own limits for an empty text."""
    if not text:
        return RANGES
    try:
        return {name: _limits(name, *ends) for name, ends in json.loads(text).items() if name in RANGES}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadHyperparameter(
            f"The hyperparameter varied must be JSON such as {FORM}, but is {text[:100]!r}."
        ) from error


def _limits(name: str, low: float, high: float) -> tuple[float, float]:
    """These, as far as they are within the trainer's own."""
    least, most = RANGES[name]
    if not least <= high >= low <= most:
        raise ValueError(name)
    return max(low, least), min(high, most)


def _varied(chosen: Hyperparameters, number: int, limits: Limits, rng: np.random.Generator) -> Hyperparameters:
    drawn = {name: getattr(chosen, name) * largest ** rng.uniform(-1, 1) for name, largest in FACTORS.items()}
    drawn |= {name: getattr(chosen, name) + rng.uniform(-largest, largest) for name, largest in STEPS.items()}
    values = {name: _within(limits[name], float(f"{value:.4g}")) for name, value in drawn.items() if name in limits}
    if "batch_size" in values:
        values["batch_size"] = round(values["batch_size"])
    seed = (chosen.seed + number) % int(RANGES["seed"][1] + 1)
    return replace(chosen, **{**values, "seed": seed})  # type: ignore[arg-type]


def _within(limits: tuple[float, float], value: float) -> float:
    least, most = limits
    return min(max(value, least), most)
