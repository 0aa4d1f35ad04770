"""Where a network looked: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), refined as LayerCAM (Jiang et al. 2021).

LayerCAM weighs each place by its own gradient, and counts only what speaks for the answer: a map is never all black
because other places speak against it.
"""

from typing import Any

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Floats, Labels, Pixels

BATCH = 8


def can_explain() -> bool:
    """Whether the backend keeps gradients in a way that is used here: TensorFlow does."""
    return bool(keras.backend.backend() == "tensorflow")


def heat_maps(network: keras.Model, images: Pixels, taken_for: Labels, truth: Labels) -> Floats:
    """What spoke for one label rather than another at each place of the last spatial layer: (n, h, w), 0 to 1.

    `network` takes the images (n, size, size, 3) and gives logits; `taken_for` and `truth` (n,) are label numbers.
    """
    explained = keras.Model(network.input, [_last_map(network), network.output])
    heats = []
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        heats.append(_heat(explained, images[rows], taken_for[rows], truth[rows]))
    return np.concatenate(heats)


def _heat(explained: keras.Model, images: Pixels, taken_for: Labels, truth: Labels) -> Floats:
    import tensorflow as tf  # noqa: PLC0415 - the only backend of which gradients are asked by hand

    with tf.GradientTape() as tape:
        pixels = tf.constant(images, tf.float32)
        tape.watch(pixels)
        activations, logits = explained(pixels, training=False)
        of_label = [tf.gather(logits, numbers, axis=1, batch_dims=1) for numbers in (taken_for, truth)]
        margin = of_label[0] - of_label[1]
    gradient = tape.gradient(margin, activations)
    heat = np.asarray(tf.reduce_sum(tf.nn.relu(gradient) * tf.nn.relu(activations), axis=-1))
    return np.asarray(heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny), np.float32)


def _last_map(network: keras.Model) -> Any:
    """The output of the last layer that still has places: (batch, h, w, channels)."""
    spatial = [layer for layer in network.layers if len(layer.output.shape) == 4 and layer.output.shape[1] > 1]
    return spatial[-1].output
