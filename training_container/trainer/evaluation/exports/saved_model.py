"""TensorFlow's SavedModel, a folder: for TensorFlow Serving and for converters."""

from pathlib import Path

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Floats, Pixels

BATCH = 32


def write(network: keras.Model, folder: Path, _sample: Pixels) -> None:
    """Writes a model whose function `serve` takes RGB images 0 to 255, (batch, size, size, 3) float32; probabilities.

    With TensorFlow, Keras's own `export` would write every weight twice, for the model and for the function.
    """
    archive = keras.export.ExportArchive()
    images = keras.InputSpec(shape=network.input_shape, dtype="float32", name="images")
    archive.add_endpoint("serve", lambda pixels: network(pixels, training=False), input_signature=[images])
    archive.write_out(str(folder), verbose=False)


def run(folder: Path, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3), computed by TensorFlow."""
    import tensorflow as tf  # noqa: PLC0415 - slow to load, and not every backend loads it

    loaded = tf.saved_model.load(str(folder))
    starts = range(0, len(images), BATCH)
    parts = (images[start : start + BATCH].astype(np.float32) for start in starts)
    return np.concatenate([loaded.serve(part).numpy() for part in parts])
