"""One request to a served model: an image or several in its body, a prediction for each in the answer."""

import base64
import csv
import io
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from trainer.archive import Model
from trainer.averaging import Floats
from trainer.classify import BATCH, classify
from trainer.errors import ImageRefused
from trainer.images import Pixels, decode_image, resize
from trainer.spreadsheet import label_cell

JSON, CSV = "application/json", "text/csv"
MAX_IMAGES = 128
"""Some ten seconds of work on two cores, of the minute that SageMaker waits."""


def answer(model: Model, content_type: str, body: bytes, accept: str) -> Response:
    """Labels, confidences and probabilities of the images of a body as JSON, or labels and confidences as CSV.

    HTTPException says what is wrong with the request: of an image that can't be used, which one it is.
    """
    images = _images_in(_media_type(content_type), body)
    batches = (range(start, min(start + BATCH, len(images))) for start in range(0, len(images), BATCH))
    probabilities = np.concatenate([classify(model, _decoded(images, rows, model.image_size)) for rows in batches])
    wanted = [_media_type(part) for part in accept.split(",")]
    as_csv = CSV in wanted and JSON not in wanted[: wanted.index(CSV)]
    return _csv(model.labels, probabilities) if as_csv else _json(model.labels, probabilities)


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _images_in(media_type: str, body: bytes) -> list[bytes]:
    if media_type == JSON:
        return _images_in_json(body)
    if media_type.startswith("image/") or media_type == "application/x-image":
        return [body]
    raise HTTPException(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"The Content-Type {media_type[:100]!r} is not taken: send an image as image/jpeg, image/png and the like, "
        f'or {JSON} with {{"images": ["<base64>", ...]}}.',
    )


def _images_in_json(body: bytes) -> list[bytes]:
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _bad(f"The body can't be read as JSON: {error}.") from error
    texts = content.get("images") if isinstance(content, dict) else None
    if not isinstance(texts, list) or not texts:
        raise _bad('The body must be {"images": ["<base64>", ...]}, with an image at least.')
    if len(texts) > MAX_IMAGES:
        raise _bad(f"The body holds {len(texts)} images: send at most {MAX_IMAGES} in a request.")
    return [_from_base64(text, number, len(texts)) for number, text in enumerate(texts, start=1)]


def _from_base64(text: Any, number: int, of: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise _bad(f"Image {number} of {of} can't be used: it is no text in base64.") from error


def _decoded(images: Sequence[bytes], rows: range, size: int) -> Pixels:
    return np.stack([_pixels(images[row], size, row + 1, len(images)) for row in rows])


def _pixels(content: bytes, size: int, number: int, of: int) -> Pixels:
    try:
        if not content:
            raise ImageRefused("it is empty")
        return resize(decode_image(io.BytesIO(content)), size)
    except ImageRefused as refusal:
        which = "The image" if of == 1 else f"Image {number} of {of}"
        raise _bad(f"{which} can't be used: {refusal}.") from refusal


def _bad(sentence: str) -> HTTPException:
    return HTTPException(HTTPStatus.BAD_REQUEST, sentence)


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
