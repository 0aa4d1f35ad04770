"""Answers a request with the best model's predictions."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from job_manager.domain.errors import MalformedOutput, NotFound
from trainer.answering.answer import answer_as
from trainer.answering.classification import Classification
from trainer.decoding.pool import DecoderPool
from trainer.errors import DecoderFailed, RequestRefused

from .current import CurrentModel
from .http import answered, problem
from .request import Images, views_in

ANSWER_SECONDS = 15.0
SECONDS_LEFT = 3.0
"""Of the function's time, to give up an image and still answer."""
RESTORE = "{} Restore it: the bucket keeps old versions for a while."

logger = logging.getLogger(__name__)


class PredictionService:
    """Answers one request at a time, as Lambda asks."""

    def __init__(self, current: CurrentModel, images: Images, decoders: DecoderPool) -> None:
        """The decoders are started while Lambda loads the rest."""
        self._current = current
        self._images = images
        self._started = ThreadPoolExecutor(1).submit(decoders.start)
        self._classification = Classification(decoders)

    def answer(self, event: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a request of API Gateway's, which has `seconds` for it."""
        until = time.monotonic() + min(ANSWER_SECONDS, seconds - SECONDS_LEFT)
        try:
            return self._predicted(event, until)
        except RequestRefused as refusal:
            return problem(refusal.status, str(refusal))
        except NotFound as error:
            return problem(HTTPStatus.NOT_FOUND, str(error))
        except MalformedOutput as error:
            logger.exception("The best model can't be used")
            return problem(HTTPStatus.BAD_GATEWAY, RESTORE.format(error))

    def _predicted(self, event: Mapping[str, Any], until: float) -> dict[str, Any]:
        views = views_in(event)
        run_id, model = self._current.latest()
        images = self._images.of(event)
        with suppress(DecoderFailed):  # it is started again when it is asked
            self._started.result()
        facts = model.facts
        answers = self._classification.answers(
            images, facts.image_size, lambda pixels: model.answers(pixels, views or facts.views), until
        )
        return answered(answer_as(event["headers"].get("accept", ""), facts.labels, answers), run_id)
