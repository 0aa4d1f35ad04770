"""What a model predicts for each test photograph, and small pictures of its mistakes, as files beside the scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.evaluation.mistakes import Mistake
from trainer.evaluation.report.pictures import jpeg, overlay_heat_map
from trainer.photos import Photos
from trainer.types import Floats

PICTURES = "mistakes"


def predictions(probabilities: Floats, photos: Photos, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Each photograph with its label, the one that is predicted, and how surely, by probabilities (n, labels).

    `content` is the same for two photographs only if they are the same, byte by byte.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    return [
        {
            "file": file,
            "truth": labels[photos.labels[row]],
            "predicted": labels[predicted[row]],
            "confidence": round(float(confidence[row]), 4),
            "content": photos.checksum(row),
        }
        for row, file in enumerate(photos.names)
    ]


def write_pictures(mistakes: Sequence[Mistake], output: Path) -> list[dict[str, Any]]:
    """Writes two JPEGs for each mistake, the photograph and its heat map; returns the content of mistakes.json.

    `picture` and `heat_map` are files relative to `output`; None without a heat map.
    """
    folder = output / PICTURES
    folder.mkdir(exist_ok=True)
    summaries = []
    for number, mistake in enumerate(mistakes, 1):
        picture, heat_map = f"{PICTURES}/{number:02}.jpg", None
        (output / picture).write_bytes(jpeg(mistake.picture))
        if mistake.heat_map is not None:
            heat_map = f"{PICTURES}/{number:02}-heat-map.jpg"
            (output / heat_map).write_bytes(jpeg(overlay_heat_map(mistake.picture, mistake.heat_map)))
        summaries.append({**mistake.summary(), "picture": picture, "heat_map": heat_map})
    return summaries
