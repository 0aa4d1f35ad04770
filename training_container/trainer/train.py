"""One trial: trains a head on the pack's features and keeps the weights of its best epoch."""

import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer import pack
from trainer.augment import batches
from trainer.head import build_head, compile_head
from trainer.hyperparameters import Hyperparameters
from trainer.quiet import keras

SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class EpochMetrics:
    """The figures SageMaker reads from a line of the log. Losses are cross-entropies in nats."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float

    def __str__(self) -> str:
        return " ".join(f"{name}: {value:.4f};" for name, value in asdict(self).items())

    def better_than(self, other: "EpochMetrics") -> bool:
        """Higher validation accuracy, or as high with a lower validation loss."""
        return (self.validation_accuracy, -self.validation_loss) > (other.validation_accuracy, -other.validation_loss)


@dataclass(frozen=True)
class Best:
    """The best epoch so far."""

    epoch: int
    metrics: EpochMetrics
    weights: list[npt.NDArray[np.float32]]


class StopRequest:
    """Set by SIGTERM, with which SageMaker stops a job: the epoch is cut short and the best so far is saved."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


def train(features: Path, model: Path, chosen: Hyperparameters, say: Callable[[str], None]) -> None:
    """Writes `head.keras` and `model.json` into the folder `model`, and says the metrics of each epoch."""
    stop = StopRequest()
    description = pack.read_description(features)
    training, validation = pack.read_split(features, "train"), pack.read_split(features, "validation")
    keras.utils.set_random_seed(chosen.seed)
    head = build_head(training.features[:, 0], len(description.labels), chosen)
    best = _fit(head, training, validation, chosen, stop, say)
    head.set_weights(best.weights)
    say(f"best epoch {best.epoch} - {best.metrics}")
    _save(head, model, description, chosen, best.metrics)


def _fit(
    head: keras.Model,
    training: pack.Split,
    validation: pack.Split,
    chosen: Hyperparameters,
    stop: StopRequest,
    say: Callable[[str], None],
) -> Best:
    steps = -(-len(training.labels) // chosen.batch_size)
    compile_head(head, chosen, steps * chosen.epochs)
    rng = np.random.default_rng(chosen.seed)
    best: Best | None = None
    for epoch in range(1, chosen.epochs + 1):
        trained = _train_epoch(head, training, chosen, rng, stop)
        metrics = EpochMetrics(*trained, *_validate(head, validation))
        say(f"epoch {epoch}/{chosen.epochs} - {metrics}")
        if best is None or metrics.better_than(best.metrics):
            best = Best(epoch, metrics, head.get_weights())
        if stop.received:
            break
    assert best is not None
    return best


def _train_epoch(
    head: keras.Model, training: pack.Split, chosen: Hyperparameters, rng: np.random.Generator, stop: StopRequest
) -> tuple[float, float]:
    head.reset_metrics()
    logs: dict[str, Any] = {}
    for features, targets in batches(training, head.output_shape[-1], chosen.batch_size, chosen.augmentation, rng):
        logs = head.train_on_batch(features, targets, return_dict=True)
        if stop.received:
            break
    return float(logs["loss"]), float(logs["accuracy"])


def _validate(head: keras.Model, validation: pack.Split) -> tuple[float, float]:
    probabilities = head.predict_on_batch(validation.features[:, 0].astype(np.float32))
    of_truth = probabilities[np.arange(len(probabilities)), validation.labels]
    loss = -np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == validation.labels).mean())


def _save(
    head: keras.Model, folder: Path, description: pack.Description, chosen: Hyperparameters, metrics: EpochMetrics
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    head.save(folder / "head.keras")
    facts = {
        **asdict(description),
        "hyperparameters": asdict(chosen),
        "validation_accuracy": round(metrics.validation_accuracy, 4),
    }
    (folder / "model.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
