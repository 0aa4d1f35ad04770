"""The hyperparameters of a trial. SageMaker passes each as text."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from trainer.errors import BadHyperparameter

IGNORED_PREFIXES = ("_tuning_", "sagemaker_")
HEAD_KIND, FINE_TUNE_KIND = "head", "fine-tune"


@dataclass(frozen=True)
class Hyperparameters:
    """One trial's hyperparameters; the defaults suit a head."""

    kind: str = HEAD_KIND
    """`head` trains on cached features, in seconds; `fine-tune` trains the whole network on images, in minutes."""
    backbone: str = "efficientnet-lite0"
    """Name of the pretrained network."""
    learning_rate: float = 3e-3
    """Peak of AdamW's schedule."""
    epochs: int = 30
    """Passes over the training split."""
    batch_size: int = 128
    """Images per step; a head takes fewer if it has few training images."""
    augmentation: float = 0.5
    """0 to 1: how strongly images, or the choice of cached features, are varied and mixed."""
    dropout: float = 0.3
    """0 to 0.9: share of features that are dropped."""
    weight_decay: float = 0.1
    """AdamW's weight decay."""
    label_smoothing: float = 0.05
    """0 to 0.5: share of the target that is spread over all labels."""
    class_weighting: float = 0.0
    """0 to 1: 0 weights all images equally, 1 all labels."""
    hidden_units: int = 0
    """Width of the hidden layer, 0 for none."""
    early_share: float = 0.0
    """0 to 1: share of the epochs that see smaller images; of fine-tuning only."""
    heads: int = 1
    """How many heads a job of kind `head` trains: this one, and variations of it."""
    sample: int = 0
    """How many training images, and at most as many validation images, a job of kind `head` uses; 0 for all."""
    varied: str = ""
    """JSON of the lowest and highest value of each hyperparameter that may vary between heads; empty for no limits."""
    seed: int = 0
    """Makes a trial repeatable."""


# The defaults for fine-tuning, where they differ from those for a head.
FINE_TUNE_DEFAULTS: Mapping[str, Any] = {
    "learning_rate": 2.5e-4,
    "batch_size": 32,
    "augmentation": 0.8,
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "early_share": 0.4,
}

RANGES: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-8, 1.0),
    "epochs": (1, 10_000),
    "batch_size": (1, 65_536),
    "augmentation": (0.0, 1.0),
    "dropout": (0.0, 0.9),
    "weight_decay": (0.0, 10.0),
    "label_smoothing": (0.0, 0.5),
    "class_weighting": (0.0, 1.0),
    "hidden_units": (0, 8_192),
    "early_share": (0.0, 1.0),
    "heads": (1, 100),
    "sample": (0, 10_000_000),
    "seed": (0, 2**32 - 1),
}


def read_hyperparameters(path: Path) -> Hyperparameters:
    """Reads SageMaker's hyperparameters.json; missing values, or all of them without the file, are defaults."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise BadHyperparameter(f"hyperparameters.json is not JSON: {error}.") from error
    if not isinstance(texts, dict):
        raise BadHyperparameter("hyperparameters.json must hold one JSON object.")
    return parse_hyperparameters(texts)


def parse_hyperparameters(texts: Mapping[str, Any]) -> Hyperparameters:
    """BadHyperparameter names the first that is unknown, not a value of its kind, or outside its limits."""
    types = {field.name: field.type for field in fields(Hyperparameters)}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name.startswith(IGNORED_PREFIXES):
            continue
        if name not in types:
            raise BadHyperparameter(f"The hyperparameter {name[:100]!r} is unknown: known are {', '.join(types)}.")
        values[name] = str(text) if types[name] is str else _number(name, str(text), whole=types[name] is int)
    match values.get("kind", HEAD_KIND):
        case "head":
            return Hyperparameters(**values)
        case "fine-tune":
            return Hyperparameters(**{**FINE_TUNE_DEFAULTS, **values})
    raise BadHyperparameter(f"The hyperparameter kind must be head or fine-tune, but is {values['kind'][:100]!r}.")


def _number(name: str, text: str, *, whole: bool) -> float:
    least, most = RANGES[name]
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        noun = "a whole number" if whole else "a number"
        raise BadHyperparameter(
            f"The hyperparameter {name} must be {noun} from {least:g} to {most:g}, but is {text[:100]!r}."
        )
    return value
