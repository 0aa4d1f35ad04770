"""What the two kinds of trial share: how a network is optimised, and what each hands to the epochs."""

from dataclasses import dataclass

import numpy as np

from trainer.keras_loader import keras
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Recipe
from trainer.types import Floats, Labels

WARM_UP_SHARE = 0.05


@dataclass(frozen=True)
class Trial:
    """A recipe, the file name of its network, and the side in pixels and the labels that the network is for."""

    recipe: Recipe
    file: str
    image_size: int
    labels: list[str]


def compile_for(network: keras.Model, chosen: Hyperparameters, steps: int, average_over: int = 0) -> None:
    """AdamW over `steps` steps: a short warm-up to the peak learning rate, then half a cosine down to 0.

    `average_over` steps are what a moving average of the weights remembers; 0 for none. All variables are made here:
    TensorFlow traces the first step twice, which takes seconds, where a variable is made in it.
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
    """What an image of each label weighs, (labels,): the mean over all images is 1."""
    counts = np.maximum(np.bincount(numbers, minlength=labels), 1)
    weights = counts ** -np.float64(chosen.class_weighting)
    return np.asarray(weights / weights[numbers].mean(), np.float32)
