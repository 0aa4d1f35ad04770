"""LiteRT, formerly TensorFlow Lite, for phones and boards, with built-in operations only, which every build has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trainer.keras_loader import keras
from trainer.types import Floats, Pixels


def write(network: keras.Model, file: Path, _sample: Pixels) -> None:
    """Writes a model that takes RGB images 0 to 255 as float32, and gives probabilities as float32."""
    _write(network, file, "TFLITE_BUILTINS")


def write_int8(network: keras.Model, file: Path, sample: Pixels) -> None:
    """Writes a model that takes RGB images as uint8 and gives probabilities as float32; it computes in integers.

    The ranges of its activations are calibrated on the sample's images (n, size, size, 3).
    """
    import tensorflow as tf  # noqa: PLC0415 - see run

    def calibration() -> Iterator[list[Any]]:
        for image in _with_full_range(sample):
            yield [image[None].astype(np.float32)]

    _write(
        network,
        file,
        "TFLITE_BUILTINS_INT8",
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=calibration,
        inference_input_type=tf.uint8,
    )


def run(file: Path, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3), one at a time as on a phone."""
    import tensorflow as tf  # noqa: PLC0415 - slow to load, and not every backend loads it

    interpreter = tf.lite.Interpreter(str(file))
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for image in images:
        interpreter.set_tensor(takes["index"], image[None].astype(takes["dtype"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(gives["index"])[0])
    return np.stack(answers)


def _write(network: keras.Model, file: Path, operations: str, **settings: Any) -> None:
    import tensorflow as tf  # noqa: PLC0415 - see run

    target = {"supported_ops": [tf.lite.OpsSet[operations]]}
    network.export(str(file), format="litert", verbose=False, target_spec=target, **settings)


def _with_full_range(images: Pixels) -> Pixels:
    """The images with one black and one white pixel, so that one step of the uint8 input is exactly one of a pixel."""
    images = images.copy()
    images[0, 0, 0], images[0, -1, -1] = 0, 255
    return images
