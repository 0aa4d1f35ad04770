"""Example findings of an evaluation: consistent scores for any labels."""

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

CHANGES = {
    "images": 16,
    "accuracy": 0.7188,
    "macro_f1": 0.7,
    "unchanged": {"accuracy": 0.8125, "macro_f1": 0.8},
    "weakest": "blurred",
    "by_change": {"noise": {"accuracy": 0.75, "macro_f1": 0.74}, "blurred": {"accuracy": 0.6875, "macro_f1": 0.66}},
}

WHEN_SURE = {
    "error_rate": 0.05,
    "false_alarm_rate": 0.02,
    "confidence": 0.8123,
    "test": {"images": 24, "sure": 0.7917, "wrong": 0.0526, "unlike": 0.0417},
    "changed": {"images": 32, "sure": 0.5, "wrong": None, "unlike": 0.0312},
}


def evaluation_of(labels: Sequence[str], **changes: Any) -> dict[str, Any]:
    """evaluation.json for 8 photographs per label: all of the first label are right, and 6 of each other one."""
    truth = np.repeat(np.arange(len(labels)), 8)
    predicted = truth.copy()
    for first in range(8, len(truth), 8):
        predicted[first : first + 2] -= 1
    scores = score(list(labels), truth, predicted)
    unchanged = {"changed": None} if changes.get("changes", CHANGES) is None else {}
    return {
        **scores.summary(),
        **scores.details(),
        "single_view": {"accuracy": 0.75, "macro_f1": 0.74},
        "changes": CHANGES,
        "views": 8,
        "temperature": 1.234,
        "calibration": {
            "ece_before": 0.0612,
            "ece_after": 0.0187,
            "changed": {"ece_before": 0.0702, "ece_after": 0.0231},
            **unchanged,
        },
        "when_sure": {**WHEN_SURE, **unchanged},
        "members": ["fine-tune/efficientnet-lite0"],
        "champion": None,
        "exports": list(EXPORTS),
        **changes,
    }


def facts_of(labels: Sequence[str], **changes: Any) -> dict[str, Any]:
    """The content of the exported model's model.json."""
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
