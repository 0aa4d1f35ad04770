"""The answer to a request: a prediction for each image, as JSON or CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trainer.answering.request_images import JSON, media_type_of
from trainer.answering.spreadsheet import label_cell
from trainer.answering.verdicts import WORDS, Doubt, Verdicts
from trainer.types import Floats

CSV = "text/csv"
REASONS: Mapping[Doubt, str] = {Doubt.CONFIDENCE: "confidence", Doubt.UNLIKE: "unlike"}


class Answer(NamedTuple):
    """The body of an answer, and what it is."""

    media_type: str
    text: str


def answer_as(accept: str, labels: Sequence[str], answers: Verdicts) -> Answer:
    """Predictions as an Accept header wants them: JSON, unless it puts CSV first."""
    wanted = [media_type_of(part) for part in accept.split(",")]
    as_csv = CSV in wanted and JSON not in wanted[: wanted.index(CSV)]
    return Answer(CSV, _csv(labels, answers)) if as_csv else Answer(JSON, _json(labels, answers))


def _json(labels: Sequence[str], answers: Verdicts) -> str:
    predictions = [_prediction(labels, *of_image) for of_image in zip(*answers, strict=True)]
    return json.dumps({"predictions": predictions}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _prediction(labels: Sequence[str], probabilities: Floats, doubt: int) -> dict[str, Any]:
    """`sure` is null if it was never measured when the model is sure."""
    return {
        "label": labels[int(probabilities.argmax())],
        "confidence": round(float(probabilities.max()), 6),
        "sure": None if doubt == Doubt.UNKNOWN else bool(doubt == Doubt.NONE),
        "reason": REASONS.get(Doubt(doubt)),
        "probabilities": {label: round(float(p), 6) for label, p in zip(labels, probabilities, strict=True)},
    }


def _csv(labels: Sequence[str], answers: Verdicts) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("label", "confidence", "sure"))
    rows.writerows(
        (label_cell(labels[of_label.argmax()]), f"{of_label.max():.4f}", WORDS[Doubt(doubt)])
        for of_label, doubt in zip(*answers, strict=True)
    )
    return text.getvalue()
