"""A run with hyperparameters, an evaluation and mistakes, as the API answers it."""

import json
from typing import Any

from .examples import HOSTILE, RUN_ID, evaluation, run, trial

SPACE = [
    {
        "dropout": {"low": 0.0, "high": 0.4, "logarithmic": False},
        "learning_rate": {"low": 0.001, "high": 0.01, "logarithmic": True},
    },
    {"kind": "head"},
]
CHANGES = {
    "images": 14,
    "accuracy": 0.6,
    "macro_f1": 0.6,
    "weakest": "noise",
    "by_change": {"noise": {"accuracy": 0.5, "macro_f1": 0.5}, "blurred": {"accuracy": 0.7, "macro_f1": 0.7}},
    "unchanged": {"accuracy": 0.75, "macro_f1": 0.7},
}
PER_LABEL = {
    "Maize": {"precision": 0.75, "recall": 0.857, "f1": 0.8, "images": 7},
    HOSTILE: {"precision": 0.833, "recall": 0.714, "f1": 0.769, "images": 7},
}


def plan(**more: Any) -> dict[str, Any]:
    """A plan that searches two hyperparameters."""
    return {"trials": 4, "heads_per_job": 1, "fine_tuning": None, "search_space": json.dumps(SPACE), **more}


def searched(number: int, accuracy: float | None, **more: Any) -> dict[str, Any]:
    """A trial at places that differ by its number."""
    values = {"learning_rate": str(0.001 * number), "dropout": str(0.1 * (number % 4)), "kind": "head"}
    return trial(number, objective=accuracy, hyperparameters=values, **more)


def full_run(trials: int = 4, **more: Any) -> dict[str, Any]:
    """A run that has completed; trial 3 is its best."""
    scores = [0.7, 0.8, 0.9, 0.6]
    given = evaluation(labels=["Maize", HOSTILE], per_label=PER_LABEL, changes=CHANGES)
    every = [searched(number, scores[(number - 1) % 4]) for number in range(1, trials + 1)]
    return run(**{"plan": plan(trials=trials), "trials": every, "evaluation": given, **more})


def mistake(picture: str | None, heat_map: str | None) -> dict[str, Any]:
    """A confident mistake with a hostile label."""
    return {
        "kind": "mistake",
        "file": f"{HOSTILE}/1.png",
        "url": "javascript:alert(1)",
        "label": HOSTILE,
        "predicted": "Maize",
        "confidence": 0.97,
        "picture_url": picture,
        "heat_map_url": heat_map,
    }


def compared(name: str, right: float) -> dict[str, Any]:
    """One side of a comparison of two labels."""
    return {
        "run_id": name,
        "test_images": 20,
        "accuracy": right,
        "accuracy_interval": [right - 0.1, right + 0.1],
        "confusion": [[4, 1], [1, 4]],
    }


def comparison(first: str, second: str, **more: Any) -> dict[str, Any]:
    """The second is right on two more of ten images."""
    return {
        "images": 10,
        "labels": ["Maize", HOSTILE],
        "first": compared(first, 0.6),
        "second": compared(second, 0.8),
        "both_right": 6,
        "only_first_right": 0,
        "only_second_right": 2,
        "neither_right": 2,
        "difference": 0.2,
        "difference_interval": [-0.1, 0.45],
        "p_value": 0.5,
        "differing": [
            {"file": "Maize/1.png", "url": "javascript:alert(1)", "label": "Maize", "first": HOSTILE, "second": "Maize"}
        ],
        **more,
    }


OTHER_ID = RUN_ID.replace("-1", "-2")
