"""ONNX, for onnxruntime, OpenVINO, TensorRT and browsers."""

import logging
import tempfile
from pathlib import Path

import numpy as np

from trainer.evaluation.exports import saved_model
from trainer.keras_loader import keras
from trainer.types import Floats, Pixels

BATCH = 8


def write(network: keras.Model, file: Path, sample: Pixels) -> None:
    """Writes a model that takes RGB images 0 to 255, (batch, size, size, 3) float32, as `images`; gives probabilities.

    Keras's own `export` fails if a layer holds constants, as `Normalization` in networks of keras.applications does.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # its exceptions say the same
    import tf2onnx  # type: ignore[import-untyped]  # noqa: PLC0415 - loads TensorFlow

    with tempfile.TemporaryDirectory() as folder:
        saved_model.write(network, Path(folder), sample)
        graph, inputs, outputs, names = tf2onnx.tf_loader.from_saved_model(
            folder, None, None, signatures=["serve"], return_tensors_to_rename=True
        )
    tf2onnx.convert.from_graph_def(
        graph, input_names=inputs, output_names=outputs, tensors_to_rename=names, output_path=str(file)
    )


def run(file: Path, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3), computed by onnxruntime."""
    import onnxruntime  # noqa: PLC0415 - most jobs don't need it

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    starts = range(0, len(images), BATCH)
    parts = (images[start : start + BATCH].astype(np.float32) for start in starts)
    return np.concatenate([session.run(None, {"images": part})[0] for part in parts])
