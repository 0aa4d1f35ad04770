"""Averages predictions: over the views of a photograph, or over the members of an ensemble.

The average is of the logarithms of probabilities, and so equals averaging the logits: a temperature has the same effect
before and after it, and never changes which label comes first. Averaging the probabilities themselves was not better:
on 607 photographs, with one network and with two, accuracies differed by at most one photograph.
"""

from collections.abc import Sequence

import numpy as np

from trainer.archive import Model
from trainer.inference.engines import Engine, fastest_engine
from trainer.photos import Photos
from trainer.types import Floats, Pixels, Say
from trainer.views import apply_view

BATCH = 32
ANSWERED_AT_ONCE = 8
"""Images that predict and serve decode and classify at a time."""
EXPORTED_FOR = 500
"""From this many passes through a network, exporting it to a faster engine, which takes seconds, saves time."""
SMALLEST = float(np.finfo(np.float32).tiny)


def predict_views(predict: Engine, images: Pixels, views: int) -> Floats:
    """Probabilities (views, n, labels) of square images in each of the first `views` views."""
    return np.stack([predict(np.ascontiguousarray(apply_view(images, view))) for view in range(views)])


def engine_for(model: Model, passes: int, say: Say) -> Engine:
    """What predicts with a whole model: Keras, or a faster engine if there are many passes through the network."""
    many = passes >= EXPORTED_FOR
    return fastest_engine(model.network, say, keep=False) if many else model.network.predict_on_batch


def predict_photos(model: Model, photos: Photos, views: int, say: Say, predict: Engine | None = None) -> Floats:
    """Probabilities (views, n, labels) of a split's photographs by a whole model, at the model's own image size."""
    images = len(photos.names)
    predict = predict or engine_for(model, images * views, say)
    batches = (range(start, min(start + BATCH, images)) for start in range(0, images, BATCH))
    return np.concatenate(
        [predict_views(predict, photos.load(rows, model.image_size), views) for rows in batches], axis=1
    )


def classify(model: Model, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3) of the model's own size, averaged over its views."""
    return average_probabilities(predict_views(model.network.predict_on_batch, images, model.views))


def average_probabilities(probabilities: Floats | Sequence[Floats]) -> Floats:
    """The normalised geometric mean of several predictions (n, labels) for the same images."""
    logs = np.mean([np.log(np.maximum(answer, SMALLEST)) for answer in probabilities], axis=0)
    return softmax(logs)


def softmax(logits: Floats) -> Floats:
    """Logits (n, labels) → probabilities."""
    scaled = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True), np.float32)
