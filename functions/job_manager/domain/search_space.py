"""What a trial may vary: the hyperparameters of `training_container`, which a test holds to these names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Continuous:
    """A real number from `low` to `high`."""

    low: float
    high: float
    logarithmic: bool = False


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    low: int
    high: int
    logarithmic: bool = False


SEARCH_SPACE: dict[str, Continuous | Integer] = {
    "learning_rate": Continuous(5e-4, 1e-2, logarithmic=True),
    "epochs": Integer(15, 40),
    "batch_size": Integer(64, 256, logarithmic=True),
    "augmentation": Continuous(0.0, 1.0),
    "dropout": Continuous(0.0, 0.6),
    "weight_decay": Continuous(1e-3, 1.0, logarithmic=True),
}

FIXED_HYPERPARAMETERS = {"hidden_units": "0", "seed": "1"}

OBJECTIVE_METRIC = "validation_accuracy"

METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
