"""One answer from several: a photograph's turned views, or the members of an ensemble.

Averaged are logarithms of probabilities: the result is what averaging the logits gives, so that a temperature does the
same before the averaging as after it, and never changes which label comes first. Averaging the probabilities scored no
better: on 607 photographs, with a network alone and with two, accuracies within one photograph of each other.
"""

from collections.abc import Sequence

import numpy as np

from trainer.archive import Model
from trainer.inference.engines import Engine, fastest_engine
from trainer.photos import Photos
from trainer.types import Floats, Pixels, Say
from trainer.views import turned

BATCH = 32
ANSWERED_AT_ONCE = 8
"""Images that predict and serve decode and classify at a time."""
EXPORTED_FOR = 500
"""Passes through a network from which on to export it to a faster engine, a matter of seconds, is worth the while."""
SMALLEST = float(np.finfo(np.float32).tiny)


def of_views(predict: Engine, images: Pixels, views: int) -> Floats:
    """Probabilities (views, n, labels) of square images in each of their first `views` views."""
    return np.stack([predict(np.ascontiguousarray(turned(images, view))) for view in range(views)])


def of_photos(model: Model, photos: Photos, views: int, say: Say) -> Floats:
    """What a whole model says of a split's photographs, at its own size: probabilities (views, n, labels)."""
    images, predict = len(photos.names), model.network.predict_on_batch
    if images * views >= EXPORTED_FOR:
        predict = fastest_engine(model.network, say, keep=False)
    batches = (range(start, min(start + BATCH, images)) for start in range(0, images, BATCH))
    return np.concatenate([of_views(predict, photos.load(rows, model.image_size), views) for rows in batches], axis=1)


def classify(model: Model, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3) at the model's own size, averaged over its views."""
    return averaged(of_views(model.network.predict_on_batch, images, model.views))


def averaged(probabilities: Floats | Sequence[Floats]) -> Floats:
    """Normalised geometric means of several answers to the same images, (n, labels) each."""
    logs = np.mean([np.log(np.maximum(answer, SMALLEST)) for answer in probabilities], axis=0)
    return softmax(logs)


def softmax(logits: Floats) -> Floats:
    """Logits (n, labels) → probabilities."""
    scaled = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True), np.float32)
