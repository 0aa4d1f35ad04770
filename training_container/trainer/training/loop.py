"""The epochs of a trial, whatever it trains: train, validate, say the metrics, keep the best weights."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from trainer.errors import BadInput
from trainer.keras_loader import keras
from trainer.training.checkpoint import Checkpoints, Progress
from trainer.training.tensorboard import EventLog
from trainer.types import Floats, Labels, Say

SMALLEST_PROBABILITY = 1e-7


class Batch(NamedTuple):
    """Inputs (n, …), probabilities of the labels (n, labels), and what each image weighs (n,)."""

    inputs: Floats
    targets: Floats
    weights: Floats


@dataclass(frozen=True)
class Recipe:
    """What is trained, compiled, and on what: batches of one epoch, and the validation split's own probabilities."""

    network: keras.Model
    epochs: int
    batches: Callable[[np.random.Generator], Iterator[Batch]]
    validate: Callable[[], Floats]
    truth: Labels


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
    weights: list[Floats]


class StopRequest:
    """Set by SIGTERM, with which SageMaker stops a job: the epoch is cut short and the best so far is the model."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


@dataclass(frozen=True)
class Surroundings:
    """What a trial's epochs talk to beside their data."""

    stop: StopRequest
    checkpoints: Checkpoints
    log: EventLog
    say: Say


def run_epochs(recipe: Recipe, rng: np.random.Generator, around: Surroundings) -> Best:
    """Trains `recipe.network`, from its checkpoint where there is one, and leaves it with its best weights."""
    network = recipe.network
    resumed = around.checkpoints.restore(network, rng)
    best = Best(resumed.best_epoch, EpochMetrics(**resumed.best_metrics), resumed.best_weights) if resumed else None
    for epoch in range(resumed.epoch + 1 if resumed else 1, recipe.epochs + 1):
        trained = _train_epoch(recipe, rng, around.stop)
        with averaged_weights(network):
            metrics = EpochMetrics(*trained, *_validated(recipe))
            _refuse_divergence(metrics)
            if best is None or metrics.better_than(best.metrics):
                best = Best(epoch, metrics, network.get_weights())
        around.say(f"epoch {epoch}/{recipe.epochs} - {metrics}")
        around.log.add(epoch, asdict(metrics))
        if around.stop.received:
            break
        around.checkpoints.save(network, rng, Progress(epoch, best.epoch, asdict(best.metrics), best.weights))
    assert best is not None
    network.set_weights(best.weights)
    around.say(f"best epoch {best.epoch} - {best.metrics}")
    return best


def _train_epoch(recipe: Recipe, rng: np.random.Generator, stop: StopRequest) -> tuple[float, float]:
    """Mean loss and accuracy over the images that were seen, as augmented."""
    images, loss, correct = 0, 0.0, 0.0
    for batch in recipe.batches(rng):
        logs: dict[str, Any] = recipe.network.train_on_batch(*batch, return_dict=True)
        images += len(batch.targets)
        loss += float(logs["loss"]) * len(batch.targets)
        correct += float(logs["accuracy"]) * len(batch.targets)
        if stop.received:
            break
    return loss / images, correct / images


@contextmanager
def averaged_weights(network: keras.Model) -> Iterator[None]:
    """Within it the network has the moving average of its weights, where its optimizer keeps one."""
    if not network.optimizer.use_ema:
        yield
        return
    variables = network.trainable_variables
    trained = [np.array(variable) for variable in variables]
    network.optimizer.finalize_variable_values(variables)
    _assign(variables, [np.array(average) for average in variables])
    try:
        yield
    finally:
        _assign(variables, trained)


def _assign(variables: Sequence[Any], values: Sequence[Floats]) -> None:
    """Values that are copies: JAX frees the arrays of a step's variables, and would free the optimizer's with them."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _validated(recipe: Recipe) -> tuple[float, float]:
    """Mean cross-entropy and accuracy on the validation split."""
    probabilities = recipe.validate()
    of_truth = probabilities[np.arange(len(probabilities)), recipe.truth]
    loss = -np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == recipe.truth).mean())


def _refuse_divergence(metrics: EpochMetrics) -> None:
    if not np.isfinite([metrics.train_loss, metrics.validation_loss]).all():
        raise BadInput("The training diverged: its loss is no longer a number, so try a lower learning rate.")
