"""Heat maps of where a network looked: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), refined as LayerCAM (Jiang
et al. 2021).

LayerCAM weights each place by its own gradient, and counts only evidence for the answer: evidence against it elsewhere
can't blacken the whole map.
"""

from typing import Any

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Floats, Labels, Pixels

BATCH = 8


def can_explain() -> bool:
    """Whether heat maps can be computed: only with the TensorFlow backend, whose gradients they need."""
    return bool(keras.backend.backend() == "tensorflow")


def heat_maps(network: keras.Model, images: Pixels, predicted: Labels, truth: Labels) -> Floats:
    """The evidence for one label over another at each place of the last spatial layer: (n, h, w), 0 to 1.

    `network` takes the images (n, size, size, 3) and gives logits; `predicted` and `truth` (n,) are label numbers.
    """
    explained = keras.Model(network.input, [_last_map(network), network.output])
    parts = []
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        parts.append(_heat(explained, images[rows], predicted[rows], truth[rows]))
    return np.concatenate(parts)


def _heat(explained: keras.Model, images: Pixels, predicted: Labels, truth: Labels) -> Floats:
    import tensorflow as tf  # noqa: PLC0415 - the only backend whose gradients are used

    with tf.GradientTape() as tape:
        pixels = tf.constant(images, tf.float32)
        tape.watch(pixels)
        activations, logits = explained(pixels, training=False)
        of_label = [tf.gather(logits, numbers, axis=1, batch_dims=1) for numbers in (predicted, truth)]
        margin = of_label[0] - of_label[1]
    gradient = tape.gradient(margin, activations)
    heat = np.asarray(tf.reduce_sum(tf.nn.relu(gradient) * tf.nn.relu(activations), axis=-1))
    return np.asarray(heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny), np.float32)


def _last_map(network: keras.Model) -> Any:
    """The output of the last layer with spatial dimensions: (batch, h, w, channels)."""
    spatial = [layer for layer in network.layers if len(layer.output.shape) == 4 and layer.output.shape[1] > 1]
    return spatial[-1].output
