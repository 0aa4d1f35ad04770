"""What a whole model says of images: asked in the same way by predict and serve, as evaluate scored it."""

from trainer.archive import Model
from trainer.decoding.images import Pixels
from trainer.inference.averaging import Floats, averaged, of_views

BATCH = 8
"""Images to decode and classify at a time."""


def classify(model: Model, images: Pixels) -> Floats:
    """Probabilities (n, labels) of images (n, size, size, 3) at the model's own size, averaged over its views."""
    return averaged(of_views(model.network.predict_on_batch, images, model.views))
