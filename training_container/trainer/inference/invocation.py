"""Requests to a served model: one or several images in the body, and a prediction for each in the answer."""

import csv
import io
import time
from collections.abc import Sequence
from http import HTTPStatus
from threading import Lock

import numpy as np
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from trainer.archive import Model
from trainer.decoding.pool import DecoderPool
from trainer.errors import DecoderFailed, DecodersClosed, ImageRefused
from trainer.inference.averaging import ANSWERED_AT_ONCE, classify
from trainer.inference.request_images import JSON, bad_request, images_in
from trainer.inference.spreadsheet import label_cell
from trainer.types import Floats, Pixels

CSV = "text/csv"
EMPTY = ImageRefused("it is empty")
ANSWER_SECONDS = 60
"""As long as SageMaker waits: images that take longer would delay other requests for nothing."""


class Invocations:
    """Answers requests from several threads: they decode images in parallel, and take turns with the model."""

    def __init__(self, model: Model, decoders: DecoderPool) -> None:
        self._model = model
        self._decoders = decoders
        self._turn = Lock()

    def answer(self, content_type: str, body: bytes, accept: str) -> Response:
        """Labels, confidences and probabilities of the body's images as JSON, or labels and confidences as CSV.

        Raises HTTPException, which says what is wrong with the request, and which image can't be used.
        """
        until = time.monotonic() + ANSWER_SECONDS
        images = images_in(_media_type(content_type), body)
        batches = (
            range(start, min(start + ANSWERED_AT_ONCE, len(images)))
            for start in range(0, len(images), ANSWERED_AT_ONCE)
        )
        probabilities = np.concatenate([self._classified(images, rows, until) for rows in batches])
        wanted = [_media_type(part) for part in accept.split(",")]
        as_csv = CSV in wanted and JSON not in wanted[: wanted.index(CSV)]
        return _csv(self._model.labels, probabilities) if as_csv else _json(self._model.labels, probabilities)

    def _classified(self, images: Sequence[bytes], rows: range, until: float) -> Floats:
        """Decodes one image at a time, so that all requests share the decoders equally."""
        pixels = np.stack([self._decoded(images[row], until, row + 1, len(images)) for row in rows])
        with self._turn:
            return classify(self._model, pixels)

    def _decoded(self, content: bytes, until: float, number: int, of: int) -> Pixels:
        if time.monotonic() > until:
            late = f"The images were not decoded within {ANSWER_SECONDS} seconds: send fewer or smaller ones."
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, late)
        try:
            (pixels,) = self._decoders.pixels([content], self._model.image_size) if content else [EMPTY]
        except (DecodersClosed, DecoderFailed) as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        if isinstance(pixels, ImageRefused):
            which = "The image" if of == 1 else f"Image {number} of {of}"
            raise bad_request(f"{which} can't be used: {pixels}.")
        return pixels


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _json(labels: Sequence[str], probabilities: Floats) -> Response:
    predictions = [
        {
            "label": labels[of_label.argmax()],
            "confidence": round(float(of_label.max()), 6),
            "probabilities": {label: round(float(p), 6) for label, p in zip(labels, of_label, strict=True)},
        }
        for of_label in probabilities
    ]
    return JSONResponse({"predictions": predictions})


def _csv(labels: Sequence[str], probabilities: Floats) -> Response:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("label", "confidence"))
    rows.writerows((label_cell(labels[of_label.argmax()]), f"{of_label.max():.4f}") for of_label in probabilities)
    return Response(text.getvalue(), media_type=CSV)
