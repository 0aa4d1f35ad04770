"""Predicts with whole Keras models, averaged over the views of a photograph."""

import numpy as np

from trainer.answering.averages import predict_views
from trainer.answering.verdicts import Verdicts, thresholds_in, verdicts
from trainer.archive import Model, Parts
from trainer.inference.engines import fastest_engine, shared_engine
from trainer.keras_loader import keras
from trainer.photos import Photos
from trainer.types import Engine, Floats, Pixels, Say

BATCH = 32
EXPORTED_FOR = 500
"""From this many passes through a network, exporting it to a faster engine, which takes seconds, saves time."""


def engine_for(model: Model, passes: int, say: Say) -> Engine:
    """What predicts with a whole model: Keras, or a faster engine if there are many passes through the network."""
    return engine_of(model.measuring, model.measuring_parts, passes, say)


def engine_of(network: keras.Model, parts: Parts | None, passes: int, say: Say) -> Engine:
    """What computes a network's only output: Keras, or a faster engine if there are many passes through it.

    A network in `parts` shares the engine of its backbone with others.
    """
    if passes < EXPORTED_FOR:
        predict: Engine = network.predict_on_batch
        return predict
    if parts is None:
        return fastest_engine(network, say, keep=False)
    features, head = shared_engine(parts.backbone, say), parts.head
    return lambda images: np.asarray(head.predict_on_batch(features(images)))


def predict_photos(model: Model, photos: Photos, views: int, say: Say, predict: Engine | None = None) -> Floats:
    """The outputs (views, n, d) of `model.measuring` for a split's photographs, at the model's own image size."""
    images = len(photos.names)
    predict = predict or engine_for(model, images * views, say)
    batches = (range(start, min(start + BATCH, images)) for start in range(0, images, BATCH))
    return np.concatenate(
        [predict_views(predict, photos.load(rows, model.image_size), views) for rows in batches], axis=1
    )


def classify(model: Model, images: Pixels) -> Verdicts:
    """The answers on images (n, size, size, 3) of the model's own size, averaged over its views."""
    outputs = predict_views(model.measuring.predict_on_batch, images, model.views)
    return verdicts(outputs, len(model.labels), thresholds_in(model.facts))
