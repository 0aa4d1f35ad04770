"""ONNX, for onnxruntime, OpenVINO, TensorRT and browsers."""

import logging
from pathlib import Path

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Floats, Pixels

BATCH = 8
IMAGES = "images"


def write(network: keras.Model, file: Path, _sample: Pixels) -> None:
    """Writes a model that takes RGB images 0 to 255, (batch, size, size, 3) float32, as `images`; gives probabilities.

    Keras's own `export` takes constants of layers for inputs and fails, as with `Normalization` in networks of
    keras.applications. By way of a SavedModel it takes half as long again.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # its exceptions say the same
    import tensorflow as tf  # noqa: PLC0415 - not every backend loads it
    import tf2onnx  # type: ignore[import-untyped]  # noqa: PLC0415

    images = tf.TensorSpec(network.input_shape, tf.float32, name=IMAGES)
    call = tf.function(lambda pixels: network(pixels, training=False), input_signature=[images], autograph=False)
    function = call.get_concrete_function()
    [pixels, *_], outputs = ([tensor.name for tensor in tensors] for tensors in (function.inputs, function.outputs))
    graph = tf2onnx.tf_loader.from_function(function, [pixels], outputs)
    names = {pixels: IMAGES} | {output: f"output_{number}" for number, output in enumerate(outputs)}
    tf2onnx.convert.from_graph_def(
        graph, input_names=[pixels], output_names=outputs, tensors_to_rename=names, output_path=str(file)
    )


def run(file: Path, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3), computed by onnxruntime."""
    import onnxruntime  # noqa: PLC0415 - most jobs don't need it

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    starts = range(0, len(images), BATCH)
    parts = (images[start : start + BATCH].astype(np.float32) for start in starts)
    return np.concatenate([session.run(None, {IMAGES: part})[0] for part in parts])
