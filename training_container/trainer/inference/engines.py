"""What runs a network over many images: the fastest engine that gives what the network gives."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from trainer.inference import openvino_cache
from trainer.inference.openvino_engine import OpenVinoEngine
from trainer.keras_loader import keras
from trainer.types import Floats, Pixels, Say

Engine = Callable[[Pixels], Floats]
"""Images (n, size, size, 3), RGB 0 to 255 → features or probabilities (n, d)."""

CHECKED_IMAGES = 2
# Of the largest number. Two engines that both compute in float32 differ by a millionth, in bfloat16 by a fifth.
TOLERANCE = 1e-4


class DifferentFeatures(Exception):
    """An engine computes something else than the network."""


def fastest_engine(network: keras.Model, say: Say, *, keep: bool = True) -> Engine:
    """OpenVINO on a processor, where it gives the same numbers as Keras; that it can't be used is said. Else Keras.

    What OpenVINO makes of the network is kept for the next time, unless there will be none as it was trained just now.
    """
    predict: Engine = network.predict_on_batch
    if not all(device.startswith("cpu") for device in keras.distribution.list_devices()):
        return predict
    try:
        return _openvino(network, keep)
    except Exception as error:  # noqa: BLE001 - no wheel, an unknown layer, a processor that computes otherwise…
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        say(f"The network runs with Keras, which is slower, because OpenVINO can't be used here: {reason}")
        return predict


def _openvino(network: keras.Model, keep: bool) -> Engine:
    file = openvino_cache.kept(network) if keep else None
    if file:
        with suppress(Exception):  # a damaged file is written anew
            return _checked(OpenVinoEngine(file), network)
    with tempfile.TemporaryDirectory() as scratch:
        return _checked(OpenVinoEngine(openvino_cache.export(network, Path(scratch), keep)), network)


def _checked(engine: Engine, network: keras.Model) -> Engine:
    shape = (CHECKED_IMAGES, *network.input_shape[1:])
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = network.predict_on_batch(images)
    difference = np.abs(engine(images) - expected).max() / np.abs(expected).max()
    if not difference <= TOLERANCE:
        raise DifferentFeatures(f"its numbers differ by {difference:.1e} of the largest.")
    return engine
