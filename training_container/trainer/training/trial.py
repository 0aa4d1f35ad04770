"""What both kinds of trial share: the optimiser, and the setup that the loop runs."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.keras_loader import keras
from trainer.training.checkpoint import Checkpoints
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import BestEpoch, Recipe, StopRequest, TrialContext, run_epochs
from trainer.training.tensorboard import EventLog
from trainer.types import Floats, Labels, Say

WARM_UP_SHARE = 0.05


@dataclass(frozen=True)
class TrialSetup:
    """A recipe, the file name of its network, and the network's image size in pixels and labels."""

    recipe: Recipe
    file: str
    image_size: int
    labels: list[str]
    plain: keras.Model | None = None
    """Saved instead of the recipe's network, with its weights."""

    def save(self, folder: Path) -> None:
        """Writes the network into the folder."""
        network = self.recipe.network
        if self.plain:
            self.plain.set_weights(network.get_weights())
        (self.plain or network).save(folder / self.file)


class Trained(NamedTuple):
    """A trained network, in `setup`, with its hyperparameters and its best epoch."""

    setup: TrialSetup
    chosen: Hyperparameters
    best: BestEpoch


@dataclass(frozen=True)
class Surroundings:
    """A trial's surroundings: stop requests, the folders of its checkpoints and of TensorBoard's files, and the log."""

    stop: StopRequest
    checkpoints: Path
    events: Path
    say: Say


def run_trial(build: Callable[[], TrialSetup], chosen: Hyperparameters, around: Surroundings) -> Trained:
    """Trains the network that `build` makes, and prints the metrics of each epoch."""
    keras.utils.set_random_seed(chosen.seed)
    setup = build()
    checkpoints = Checkpoints(around.checkpoints, asdict(chosen), around.say)
    with closing(EventLog(around.events)) as log:
        context = TrialContext(around.stop, checkpoints, log, around.say)
        best = run_epochs(setup.recipe, np.random.default_rng(chosen.seed), context)
    return Trained(setup, chosen, best)


def compile_for(network: keras.Model, chosen: Hyperparameters, steps: int, average_over: int = 0) -> None:
    """AdamW over `steps` steps: a short warm-up to the peak learning rate, then half a cosine down to 0.

    `average_over` is the number of steps of the moving average of the weights, 0 for none. All variables are created
    here: TensorFlow would trace a step that creates variables twice, which takes seconds.
    """
    warm_up = max(1, round(steps * WARM_UP_SHARE))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warm_up),
        warmup_target=chosen.learning_rate,
        warmup_steps=warm_up,
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(
            schedule,
            weight_decay=chosen.weight_decay,
            use_ema=average_over > 0,
            ema_momentum=1 - 1 / max(2, average_over),
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=chosen.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    network.optimizer.build(network.trainable_variables)


def label_weights(numbers: Labels, labels: int, chosen: Hyperparameters) -> Floats:
    """The weight of an image of each label, (labels,), with a mean of 1 over all images."""
    counts = np.maximum(np.bincount(numbers, minlength=labels), 1)
    weights = counts ** -np.float64(chosen.class_weighting)
    return np.asarray(weights / weights[numbers].mean(), np.float32)
