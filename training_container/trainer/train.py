"""One trial: trains a head on the pack's features and keeps the weights of its best epoch."""

import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer import pack
from trainer.augment import batches
from trainer.errors import BadInput
from trainer.head import build_head, compile_head
from trainer.hyperparameters import Hyperparameters
from trainer.quiet import keras

VALIDATION_ROWS = 1024
SMALLEST_PROBABILITY = 1e-7

Say = Callable[[str], None]


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


class Best(NamedTuple):
    """The best epoch so far."""

    epoch: int
    metrics: EpochMetrics
    weights: list[npt.NDArray[np.float32]]


class Data(NamedTuple):
    """What a trial trains on, and what its epochs are compared on."""

    training: pack.FeatureSplit
    validation: pack.FeatureSplit


class StopRequest:
    """Set by SIGTERM, with which SageMaker stops a job: the epoch is cut short and the best so far is the model."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


def train(features: Path, model: Path, chosen: Hyperparameters, say: Say) -> None:
    """Writes `head.keras` and `model.json` into the folder `model`, and says the metrics of each epoch."""
    stop = StopRequest()
    description = pack.read_description(features)
    data = Data(pack.read_split(features, "train"), pack.read_split(features, "validation"))
    keras.utils.set_random_seed(chosen.seed)
    head = build_head(data.training.features[:, 0], len(description.labels), chosen)
    best = _fit(head, data, chosen, stop, say)
    head.set_weights(best.weights)
    say(f"best epoch {best.epoch} - {best.metrics}")
    _save(head, model, description, chosen, best.metrics)


def _fit(head: keras.Model, data: Data, chosen: Hyperparameters, stop: StopRequest, say: Say) -> Best:
    steps = -(-len(data.training.labels) // chosen.batch_size)
    compile_head(head, chosen, steps * chosen.epochs)
    rng = np.random.default_rng(chosen.seed)
    best: Best | None = None
    for epoch in range(1, chosen.epochs + 1):
        trained = _train_epoch(head, data.training, chosen, rng, stop)
        metrics = EpochMetrics(*trained, *_validate(head, data.validation))
        _refuse_divergence(metrics)
        say(f"epoch {epoch}/{chosen.epochs} - {metrics}")
        if best is None or metrics.better_than(best.metrics):
            best = Best(epoch, metrics, head.get_weights())
        if stop.received:
            break
    assert best is not None
    return best


def _refuse_divergence(metrics: EpochMetrics) -> None:
    if not np.isfinite([metrics.train_loss, metrics.validation_loss]).all():
        raise BadInput("The training diverged: its loss is no longer a number, so try a lower learning rate.")


def _train_epoch(
    head: keras.Model, training: pack.FeatureSplit, chosen: Hyperparameters, rng: np.random.Generator, stop: StopRequest
) -> tuple[float, float]:
    """Mean loss and accuracy over the images that were seen, as augmented."""
    images, loss, correct = 0, 0.0, 0.0
    for features, targets in batches(training, chosen, head.output_shape[-1], rng):
        logs: dict[str, Any] = head.train_on_batch(features, targets, return_dict=True)
        images += len(features)
        loss += float(logs["loss"]) * len(features)
        correct += float(logs["accuracy"]) * len(features)
        if stop.received:
            break
    return loss / images, correct / images


def _validate(head: keras.Model, validation: pack.FeatureSplit) -> tuple[float, float]:
    parts = [
        head.predict_on_batch(validation.features[start : start + VALIDATION_ROWS, 0].astype(np.float32))
        for start in range(0, len(validation.labels), VALIDATION_ROWS)
    ]
    probabilities = np.concatenate(parts)
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
