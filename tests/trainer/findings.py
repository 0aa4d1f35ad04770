"""What an evaluation may have found: scores that fit together, of any labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.evaluation.metrics import score

EXPORTS = (
    {
        "format": "onnx",
        "file": "exports/model.onnx",
        "bytes": 13_700_000,
        "largest_difference": 1.2e-06,
        "agreement": 0.99,
    },
    {"format": "litert", "error": "It could not be made: no such operation."},
)


def evaluation_of(labels: Sequence[str], **changes: Any) -> dict[str, Any]:
    """evaluation.json of 8 photographs a label: of the first label all are named right, of the others 6."""
    truth = np.repeat(np.arange(len(labels)), 8)
    predicted = truth.copy()
    for first in range(8, len(truth), 8):
        predicted[first : first + 2] -= 1
    scores = score(list(labels), truth, predicted)
    return {
        **scores.summary(),
        **scores.details(),
        "single_view": {"accuracy": 0.75, "macro_f1": 0.74},
        "views": 8,
        "temperature": 1.234,
        "calibration": {"ece_before": 0.0612, "ece_after": 0.0187},
        "members": ["fine-tune/efficientnet-lite0"],
        "champion": None,
        "exports": list(EXPORTS),
        **changes,
    }


def facts_of(labels: Sequence[str], **changes: Any) -> dict[str, Any]:
    """model.json of the exported model."""
    return {
        "kind": "fine-tune",
        "backbone": "efficientnet-lite0",
        "image_size": 160,
        "labels": list(labels),
        "hyperparameters": {"learning_rate": 0.003, "epochs": 30},
        "validation_accuracy": 0.9312,
        "views": 8,
        "temperature": 1.234,
        **changes,
    }
