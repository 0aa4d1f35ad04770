"""The networks of keras.applications as backbones, with their own preprocessing inside."""

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.errors import BadInput
from trainer.keras_loader import keras

layers = keras.layers

APPLICATIONS = tuple(name for name in dir(keras.applications) if name[0].isupper())
WEIGHTS_SUFFIXES = (".h5", ".keras")
NETWORK_SECONDS = 20.0
FULL_SCALE = 255.0
# Keras divides by the square roots of these only if it downloads the weights itself (tensorflow issue 49930).
EFFICIENTNET_DEVIATIONS = (0.229, 0.224, 0.225)


class Preprocessing(NamedTuple):
    """How an application preprocesses colours 0 to 255: an affine map per channel, and whether RGB becomes BGR."""

    scale: list[float]
    offset: list[float]
    to_bgr: bool


def keras_application(name: str, image_size: int, pretrained: Path | None) -> keras.Model:
    """RGB images 0 to 255, (batch, image_size, image_size, 3) → averages of the last feature maps, (batch, d).

    The ImageNet weights are read from the folder `pretrained`, else from Keras's cache, else downloaded.
    """
    preprocessing = _preprocessing(name)
    network = _architecture(name, image_size, preprocessing)
    file = _weights_file(name, pretrained)
    if file:
        _load(network, file, name)
    else:
        network.set_weights(_official(name).get_weights())
    if preprocessing.to_bgr:
        _take_rgb(network)
    if name.startswith("EfficientNetB"):
        _divide_by_deviations(network)
    return network


def _preprocessing(name: str) -> Preprocessing:
    """Derived from what the application's own function makes of red, green, blue and black."""
    colours = FULL_SCALE * np.eye(4, 3, dtype=np.float32).reshape(4, 1, 1, 3)
    module = sys.modules[getattr(keras.applications, name).__module__]
    *primaries, black = np.asarray(module.preprocess_input(colours), np.float64).reshape(4, 3)
    slopes = (np.stack(primaries) - black) / FULL_SCALE
    to_bgr = bool(slopes[0, 0] == 0)
    if to_bgr:
        slopes, black = slopes[:, ::-1], black[::-1]
    return Preprocessing(np.diag(slopes).tolist(), black.tolist(), to_bgr)


def _architecture(name: str, image_size: int, preprocessing: Preprocessing) -> keras.Model:
    images = keras.Input((image_size, image_size, 3), name="images")
    x = images
    if (preprocessing.scale, preprocessing.offset) != ([1, 1, 1], [0, 0, 0]):
        x = layers.Rescaling(preprocessing.scale, offset=preprocessing.offset, name="preprocess")(images)
    try:
        network = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=x, pooling="avg")
    except ValueError as error:
        raise BadInput(f"{name} can't take images as small as {image_size} pixels: choose a larger size.") from error
    return keras.Model(images, network.output, name="backbone")


def _weights_file(name: str, pretrained: Path | None) -> Path | None:
    """The first file, in order of names, that is named after the application, by Keras or by a person."""
    files = sorted(pretrained.rglob("*")) if pretrained else []
    return next((file for file in files if file.suffix in WEIGHTS_SUFFIXES and _application_of(file) == name), None)


def _application_of(file: Path) -> str | None:
    """The application in a file's name: ResNet50V2, not ResNet50, for `resnet50v2_weights_notop.h5`."""
    words = _letters_and_digits(file.name)
    return max((name for name in APPLICATIONS if _letters_and_digits(name) in words), key=len, default=None)


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _load(network: keras.Model, file: Path, name: str) -> None:
    try:
        network.load_weights(file)
    except Exception as error:  # h5py and Keras raise anything on damaged files
        raise BadInput(
            f"The weights in {file.name} don't fit {name}: they must be those of the network without its top."
        ) from error


def _official(name: str) -> keras.Model:
    """The application with Keras's own ImageNet weights, at its default image size."""
    try:
        with _network_time_limit():
            return getattr(keras.applications, name)(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises plain Exception if a download fails
        raise BadInput(
            f"The ImageNet weights of {name} can't be downloaded: put a file {name}.weights.h5 with the weights of the "
            "network without its top into the channel pretrained."
        ) from error


@contextmanager
def _network_time_limit() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _take_rgb(network: keras.Model) -> None:
    first = next(layer for layer in network.layers if layer.weights)
    kernel, *rest = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *rest])


def _divide_by_deviations(network: keras.Model) -> None:
    (normalisation,) = (layer for layer in network.layers if isinstance(layer, layers.Normalization))
    mean, variance, *rest = normalisation.get_weights()
    normalisation.set_weights([mean, variance * EFFICIENTNET_DEVIATIONS, *rest])
    normalisation.finalize_state()  # otherwise it keeps the earlier values
