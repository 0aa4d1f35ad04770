"""Answers of the API, as small as they can be."""

from typing import Any

RUN_ID = "sb-d106b611d8cacc5f-1"
CREATED, ENDED = "2026-11-26T21:08:02.872538+00:00", "2026-11-26T21:09:07+00:00"
HOSTILE = '<script>alert("1")</script>'
PLAN = {"trials": 8, "heads_per_job": 2, "fine_tuning": None, "search_space": "[]"}
EPOCHS = [
    {
        "head": head,
        "epoch": epoch,
        "train_loss": 1.0,
        "train_accuracy": 0.5,
        "validation_loss": 1.0,
        "validation_accuracy": head * epoch / 10,
    }
    for head in (1, 2)
    for epoch in (1, 2, 3)
]


def trial(number: int, status: str = "Completed", **more: Any) -> dict[str, Any]:
    """A trial that has been started."""
    return {
        "name": f"{RUN_ID}-{number:03}-eef44488",
        "status": status,
        "hyperparameters": {"learning_rate": "0.0024619472", "kind": "head"},
        "objective": 0.85 if status == "Completed" else None,
        "billable_seconds": 3,
        "started_at": CREATED,
        "ended_at": ENDED if status == "Completed" else None,
        "stage": "tune",
        "best_head": 1 if status == "Completed" else 0,
        **more,
    }


def short_run(state: str = "Completed", run_id: str = RUN_ID, **more: Any) -> dict[str, Any]:
    """A run as the list has it."""
    ended = state in {"Completed", "Failed", "Stopped", "Refused"}
    return {
        "run_id": run_id,
        "state": state,
        "created_at": CREATED,
        "ended_at": ENDED if ended else None,
        "images": 120,
        "test_accuracy": 0.786 if state == "Completed" else None,
        "won": state == "Completed",
        "cost_usd": 0.0,
        "reason": None,
        "notice": None,
        "notified": None,
        **more,
    }


def run(state: str = "Completed", **more: Any) -> dict[str, Any]:
    """A run in full."""
    return {**short_run(state), "plan": PLAN, "trials": [], "evaluation": None, "dataset": None, **more}


def model(**more: Any) -> dict[str, Any]:
    """A best model."""
    return {
        "run_id": RUN_ID,
        "created_at": CREATED,
        "ended_at": ENDED,
        "model_uri": f"s3://bucket/runs/{RUN_ID}/model.tar.gz",
        "validation_accuracy": 0.9,
        "test_accuracy": 0.786,
        "test_accuracy_interval": [0.524, 0.924],
        "macro_f1": 0.7,
        "changes": {
            "images": 14,
            "accuracy": 0.699,
            "macro_f1": 0.6,
            "weakest": "farther_away",
            "by_change": {"farther_away": {"accuracy": 0.286, "macro_f1": 0.2}},
        },
        "dataset": {"images": 120, "used": 118, "labels": ["Maize", "Charlock"]},
        "cost_usd": 0.0,
        "champion_before": None,
        "champion": None,
        **more,
    }


def evaluation(**more: Any) -> dict[str, Any]:
    """A model's scores."""
    return {
        "images": 14,
        "accuracy": 0.786,
        "accuracy_interval": [0.524, 0.924],
        "macro_f1": 0.7,
        "labels": ["Maize", "Charlock"],
        "confusion": [[6, 1], [2, 5]],
        "exports": [
            {"format": "onnx", "bytes": 14_000_000, "agreement": 1.0, "files": {"exports/onnx/model.onnx": "0" * 64}},
            {"format": "litert", "error": "no converter", "files": {}},
        ],
        **more,
    }


def health(open_run: str | None = None) -> dict[str, Any]:
    """How things are."""
    return {"status": "ok", "open_run": open_run, "waits_for": None, "best_model": None, "pending": None}
