"""The loop over a trial's epochs, for both kinds: trains, validates, prints the metrics, keeps the best weights."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from trainer.errors import Diverged
from trainer.keras_loader import keras
from trainer.training.checkpoint import Checkpoints, TrialProgress
from trainer.training.tensorboard import EventLog
from trainer.types import Floats, Labels, Say

SMALLEST_PROBABILITY = 1e-7


class Batch(NamedTuple):
    """Inputs (n, …), target probabilities (n, labels), and a weight for each image (n,)."""

    inputs: Floats
    targets: Floats
    weights: Floats


@dataclass(frozen=True)
class Recipe:
    """A compiled network and its data: batches of one epoch, and predictions and labels of the validation split."""

    network: keras.Model
    epochs: int
    batches: Callable[[np.random.Generator], Iterator[Batch]]
    validate: Callable[[], Floats]
    truth: Labels
    early: "EarlyEpochs | None" = None


@dataclass(frozen=True)
class EarlyEpochs:
    """The first `count` epochs, which train `network` on batches of their own.

    It shares weights and optimizer with the recipe's network.
    """

    count: int
    network: keras.Model
    batches: Callable[[np.random.Generator], Iterator[Batch]]


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics that SageMaker reads from a line of the log. Losses are cross-entropies in nats."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float

    def __str__(self) -> str:
        return " ".join(f"{name}: {value:.4f};" for name, value in asdict(self).items())

    def better_than(self, other: "EpochMetrics") -> bool:
        """Whether the validation accuracy is higher or, if it is equal, the validation loss lower."""
        return (self.validation_accuracy, -self.validation_loss) > (other.validation_accuracy, -other.validation_loss)


class BestEpoch(NamedTuple):
    """The best epoch so far."""

    epoch: int
    metrics: EpochMetrics
    weights: list[Floats]


class StopRequest:
    """Set by SIGTERM, by which SageMaker stops a job: the epoch is cut short, and the best so far becomes the model."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


@dataclass(frozen=True)
class TrialContext:
    """The trial's connections to the outside: stop requests, checkpoints, TensorBoard and the log."""

    stop: StopRequest
    checkpoints: Checkpoints
    log: EventLog
    say: Say


def run_epochs(recipe: Recipe, rng: np.random.Generator, context: TrialContext) -> BestEpoch:
    """Trains `recipe.network`, from its checkpoint if there is one, and leaves it with the best epoch's weights."""
    network = recipe.network
    resumed = context.checkpoints.restore(network, rng)
    best = (
        BestEpoch(resumed.best_epoch, EpochMetrics(**resumed.best_metrics), resumed.best_weights) if resumed else None
    )
    for epoch in range(resumed.epoch + 1 if resumed else 1, recipe.epochs + 1):
        trained = _train_epoch(recipe, epoch, rng, context.stop)
        with averaged_weights(network):
            metrics = EpochMetrics(*trained, *validate(recipe))
            _refuse_divergence(metrics)
            if best is None or metrics.better_than(best.metrics):
                best = BestEpoch(epoch, metrics, network.get_weights())
        context.say(f"epoch {epoch}/{recipe.epochs} - {metrics}")
        context.log.add(epoch, asdict(metrics))
        if context.stop.received:
            break
        context.checkpoints.save(network, rng, TrialProgress(epoch, best.epoch, asdict(best.metrics), best.weights))
    assert best is not None
    network.set_weights(best.weights)
    context.say(f"best epoch {best.epoch} - {best.metrics}")
    return best


def _train_epoch(recipe: Recipe, epoch: int, rng: np.random.Generator, stop: StopRequest) -> tuple[float, float]:
    """Mean loss and accuracy over the augmented training images."""
    part = recipe.early if recipe.early and epoch <= recipe.early.count else recipe
    images, loss, correct = 0, 0.0, 0.0
    for batch in part.batches(rng):
        logs: dict[str, Any] = part.network.train_on_batch(*batch, return_dict=True)
        images += len(batch.targets)
        loss += float(logs["loss"]) * len(batch.targets)
        correct += float(logs["accuracy"]) * len(batch.targets)
        if stop.received:
            break
    return loss / images, correct / images


@contextmanager
def averaged_weights(network: keras.Model) -> Iterator[None]:
    """Inside, the network has the moving average of its weights, if its optimizer keeps one."""
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
    """Assigns values, which must be copies: JAX frees a step's arrays, and would free the optimizer's with them."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def validate(recipe: Recipe) -> tuple[float, float]:
    """Mean cross-entropy and accuracy on the validation split."""
    probabilities = recipe.validate()
    of_truth = probabilities[np.arange(len(probabilities)), recipe.truth]
    loss = -np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == recipe.truth).mean())


def _refuse_divergence(metrics: EpochMetrics) -> None:
    if not np.isfinite([metrics.train_loss, metrics.validation_loss]).all():
        raise Diverged
