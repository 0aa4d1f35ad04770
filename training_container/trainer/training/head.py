"""The head, the part of the network that is trained: features of the frozen backbone → label probabilities."""

from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.keras_loader import keras
from trainer.training.hyperparameters import Hyperparameters

layers = keras.layers

VARIANCE_FLOOR = 1e-2


def build_head(features: npt.NDArray[Any], labels: int, chosen: Hyperparameters) -> keras.Model:
    """An untrained head, which standardises features (n, d) by the mean and variance of those given here.

    The variance has a floor, so that a feature that is constant in training does not explode on another image. All
    images of a batch lose the same features to dropout: drawing others for each takes up to half of a step's time.
    """
    sample = np.asarray(features, np.float32)
    standardise = layers.BatchNormalization(
        center=False, scale=False, epsilon=VARIANCE_FLOOR, trainable=False, name="standardise"
    )
    inputs = keras.Input((features.shape[-1],), name="features")
    x = layers.Dropout(chosen.dropout, noise_shape=(1, None), name="dropout")(standardise(inputs))
    if chosen.hidden_units:
        x = layers.Dense(chosen.hidden_units, activation="relu", name="hidden")(x)
        x = layers.Dropout(chosen.dropout, name="hidden_dropout")(x)
    probabilities = layers.Dense(labels, activation="softmax", name="probabilities")(x)
    standardise.set_weights([sample.mean(axis=0), sample.var(axis=0)])
    return keras.Model(inputs, probabilities, name="classifier")
