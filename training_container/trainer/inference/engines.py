"""Chooses the fastest engine that computes the same as the network, for many images."""

import tempfile
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from trainer.inference import openvino_cache
from trainer.inference.openvino_engine import OpenVinoEngine
from trainer.keras_loader import keras
from trainer.types import Engine, Say

CHECKED_IMAGES = 2
TOLERANCE = 1e-4
"""Of the largest number. Engines that compute in float32 differ by a millionth."""
ROUNDED_TOLERANCE = 0.03
"""Of the mean number, on average. In bfloat16 it is 0.01."""

_shared: WeakKeyDictionary[keras.Model, Engine] = WeakKeyDictionary()


class EngineMismatch(Exception):
    """An engine does not compute the same as the network."""


def fastest_engine(network: keras.Model, say: Say, *, keep: bool = True, exact: bool = True) -> Engine:
    """OpenVINO on CPUs if it gives the same numbers as Keras, else Keras itself; `say` gets the reason then.

    With `keep`, OpenVINO's export of the network is cached for the next time. A network that was just trained needs no
    cache, as it will not be exported again. Without `exact` it computes in bfloat16 where the processor can.
    """
    predict: Engine = network.predict_on_batch
    if not all(device.startswith("cpu") for device in keras.distribution.list_devices()):
        return predict
    try:
        return _openvino(network, keep, exact)
    except Exception as error:  # noqa: BLE001 - no wheel, an unknown layer, a processor that computes differently…
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        say(f"The network runs with Keras, which is slower, because OpenVINO can't be used here: {reason}")
        return predict


def shared_engine(backbone: keras.Model, say: Say) -> Engine:
    """The fastest engine of a backbone, made once however many networks are upon it."""
    if backbone not in _shared:
        _shared[backbone] = fastest_engine(backbone, say)
    return _shared[backbone]


def _openvino(network: keras.Model, keep: bool, exact: bool) -> Engine:
    file = openvino_cache.cached_export(network) if keep else None
    if file:
        with suppress(Exception):  # a damaged file is written again
            return _checked(OpenVinoEngine(file, exact), network, exact)
    with tempfile.TemporaryDirectory() as scratch:
        file = openvino_cache.export(network, Path(scratch), keep)
        return _checked(OpenVinoEngine(file, exact), network, exact)


def _checked(engine: Engine, network: keras.Model, exact: bool) -> Engine:
    shape = (CHECKED_IMAGES, *network.input_shape[1:])
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = network.predict_on_batch(images)
    differences = np.abs(engine(images) - expected)
    if exact and not (largest := differences.max() / np.abs(expected).max()) <= TOLERANCE:
        raise EngineMismatch(f"its numbers differ by {largest:.1e} of the largest.")
    if not (average := differences.mean() / np.abs(expected).mean()) <= ROUNDED_TOLERANCE:
        raise EngineMismatch(f"its numbers differ by {average:.1e} on average.")
    return engine
