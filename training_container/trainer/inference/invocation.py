"""Requests to a served model: one or several images in the body, and a prediction for each in the answer."""

import time

from trainer.answering.answer import Answer, answer_as
from trainer.answering.classification import Classification
from trainer.answering.request_images import images_in
from trainer.archive import Model
from trainer.decoding.pool import DecoderPool
from trainer.inference.averaging import classify

ANSWER_SECONDS = 60
"""As long as SageMaker waits: images that take longer would delay other requests for nothing."""


class Invocations:
    """Answers requests from several threads: they decode images in parallel, and take turns with the model."""

    def __init__(self, model: Model, decoders: DecoderPool) -> None:
        self._model = model
        self._classification = Classification(decoders)

    def answer(self, content_type: str, body: bytes, accept: str) -> Answer:
        """What the model says of the body's images: as JSON, or without the other labels' probabilities as CSV.

        Raises RequestRefused, which says what is wrong with the request, and which image can't be used.
        """
        until = time.monotonic() + ANSWER_SECONDS
        images = images_in(content_type, body)
        model = self._model
        answers = self._classification.answers(images, model.image_size, lambda pixels: classify(model, pixels), until)
        return answer_as(accept, model.labels, answers)
