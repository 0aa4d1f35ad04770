"""The answer to a request: a prediction for each image, as JSON or CSV."""

import csv
import io
import json
from collections.abc import Sequence
from typing import NamedTuple

from trainer.answering.request_images import JSON, media_type_of
from trainer.answering.spreadsheet import label_cell
from trainer.types import Floats

CSV = "text/csv"


class Answer(NamedTuple):
    """The body of an answer, and what it is."""

    media_type: str
    text: str


def answer_as(accept: str, labels: Sequence[str], probabilities: Floats) -> Answer:
    """Predictions from probabilities (n, labels) as an Accept header wants them: JSON, unless it puts CSV first."""
    wanted = [media_type_of(part) for part in accept.split(",")]
    as_csv = CSV in wanted and JSON not in wanted[: wanted.index(CSV)]
    return Answer(CSV, _csv(labels, probabilities)) if as_csv else Answer(JSON, _json(labels, probabilities))


def _json(labels: Sequence[str], probabilities: Floats) -> str:
    predictions = [
        {
            "label": labels[of_label.argmax()],
            "confidence": round(float(of_label.max()), 6),
            "probabilities": {label: round(float(p), 6) for label, p in zip(labels, of_label, strict=True)},
        }
        for of_label in probabilities
    ]
    return json.dumps({"predictions": predictions}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _csv(labels: Sequence[str], probabilities: Floats) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("label", "confidence"))
    rows.writerows((label_cell(labels[of_label.argmax()]), f"{of_label.max():.4f}") for of_label in probabilities)
    return text.getvalue()
