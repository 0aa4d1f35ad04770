"""What a network gives for validation photographs, as they are and changed at random: its confidence is fitted on it.

The changes are drawn as for training (`trainer.vary`), so the named changes that a model is scored under stay apart.
"""

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from trainer.answering.averages import average_probabilities, predict_views
from trainer.archive import Model, probabilities_and_features, upon_features
from trainer.decoding.images import DECODERS
from trainer.inference.averaging import engine_of
from trainer.keras_loader import keras
from trainer.pack import evenly_spaced
from trainer.photos import Photos
from trainer.types import Floats, Labels, Pixels, Say
from trainer.vary import varied

BATCH = 32
STRENGTH = 0.5
"""Of the changes: as harmful, on average, as the named ones under which a model is scored."""
MOST_PHOTOGRAPHS, MOST_PASSES = 1000, 1600
"""Passes of changed photographs through the network, over all their views."""


@dataclass(frozen=True)
class Outputs:
    """For `photographs` photographs as they are, and then for the same ones changed: n = 2 * photographs."""

    probabilities: Floats
    """(n, labels), averaged over the model's views."""
    features: Floats
    """(n, d), of the first view."""
    labels: Labels
    """(n,)"""
    photographs: int


def validation_outputs(model: Model, photos: Photos, plain: Floats, views: int, say: Say) -> Outputs:
    """Of a model of a combined network and an even sample of the photographs, at most 1,000 by one view, fewer by more.

    `plain` are its probabilities (n, labels) for all of them as they are, averaged over the views.
    """
    rows = evenly_spaced(len(photos.names), min(MOST_PHOTOGRAPHS, MOST_PASSES // views))
    labels, size = plain.shape[1], model.image_size
    outputs = keras.layers.Concatenate(name="outputs")(probabilities_and_features(model.network))
    parts = model.parts and upon_features(model.parts, lambda probabilities, features: [probabilities, features])
    predict = engine_of(keras.Model(model.network.input, outputs), parts, len(rows) * (views + 1), say)
    as_they_are, changed, averaged = [], [], []
    for start in range(0, len(rows), BATCH):
        images = photos.load(rows[start : start + BATCH], size)
        by_view = predict_views(predict, changed_at_random(images), views)
        as_they_are.append(predict(images)[:, labels:])
        changed.append(by_view[0, :, labels:])
        averaged.append(average_probabilities(by_view[:, :, :labels]))
    return Outputs(
        probabilities=np.concatenate([plain[rows], *averaged]),
        features=np.concatenate([*as_they_are, *changed]),
        labels=np.tile(photos.labels[rows], 2),
        photographs=len(rows),
    )


def changed_at_random(images: Pixels) -> Pixels:
    """Images (n, size, size, 3) changed, each in the same way whenever it is."""
    with ThreadPoolExecutor(DECODERS) as pool:
        return np.stack(list(pool.map(_changed, images)))


def _changed(image: Pixels) -> Pixels:
    return varied(image, STRENGTH, np.random.default_rng(zlib.crc32(image.tobytes())))
