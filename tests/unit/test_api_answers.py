"""The API's answers."""

from typing import Any

import pytest

from job_manager.domain.errors import NotFound
from job_manager.steps.api import best_model, one_run, recent_runs
from tests.fakes.world import FULL_PLAN, MODEL_SHA256, World, answered

FULL_SCORES: dict[str, Any] = {
    "single_view": {"accuracy": 0.88, "macro_f1": 0.87},
    "views": 8,
    "temperature": 1.3,
    "calibration": {"ece_before": 0.06, "ece_after": 0.02},
    "exports": [
        {
            "format": "onnx",
            "file": "exports/model.onnx",
            "bytes": 13_000_000,
            "largest_difference": 1e-6,
            "agreement": 1.0,
            "error": None,
            "files": {"exports/model.onnx": "0" * 64},
        }
    ],
    "members": ["one", "two"],
}


def test_without_a_model_the_answer_says_what_to_do(world: World) -> None:
    with pytest.raises(NotFound, match=r"no model yet\. Upload labelled images"):
        best_model(world)


def test_best_model_has_its_scores_hyperparameters_and_dataset(world: World) -> None:
    run = world.complete(world.start().run_id, 0.85)

    answer = answered(best_model(world))

    assert answer == {
        "run_id": run.run_id,
        "model_uri": run.model_uri,
        "model_sha256": MODEL_SHA256,
        "validation_accuracy": 0.9,
        "test_accuracy": 0.85,
        "test_accuracy_interval": [0.7, 0.97],
        "macro_f1": 0.85,
        "hyperparameters": {"learning_rate": "0.003"},
        "dataset": {"images": 12, "used": 12, "labels": ["Common wheat", "Maize"]},
        "cost_usd": round(run.cost_usd, 4),
        "created_at": run.created_at.isoformat(),
        "single_view": None,
        "views": 1,
        "report_uri": f"s3://seedlings-in-memory/runs/{run.run_id}/evaluation/report.html",
        "model_card_uri": f"s3://seedlings-in-memory/runs/{run.run_id}/evaluation/model_card.md",
        "mosaic_uri": f"s3://seedlings-in-memory/runs/{run.run_id}/pack/mosaic.jpg",
    }


def test_runs_come_newest_first_with_the_pending_change(world: World) -> None:
    first = world.complete(world.start().run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    world.upload("seedlings/Maize/third.png")

    answer = answered(recent_runs(world))

    assert [(run["run_id"], run["state"]) for run in answer["runs"]] == [
        (second.run_id, "Preparing"),
        (first.run_id, "Completed"),
    ]
    assert answer["pending"] == {"first_at": world.clock.now().isoformat(), "last_at": world.clock.now().isoformat()}


def test_without_runs_the_list_is_empty(world: World) -> None:
    assert answered(recent_runs(world)) == {"runs": [], "pending": None}


def test_one_run_comes_with_its_trials(world: World) -> None:
    run = world.complete(world.start().run_id)

    answer = answered(one_run(run.run_id, world))

    assert [trial["name"] for trial in answer["trials"]] == [f"{run.run_id}-00{i}-0a1b2c3d" for i in (1, 2, 3)]
    assert answer["state"] == "Completed"
    assert answer["plan"]["trials"] == 4


def test_a_fine_tuned_run_has_both_stages_and_the_full_evaluation(world: World) -> None:
    world.plan = FULL_PLAN
    run_id = world.start().run_id
    world.end_prepare(run_id)
    world.end_tuning(run_id)
    world.end_fine_tuning(run_id, 0.94, 0.95)
    world.end_evaluation(run_id, **FULL_SCORES)

    answer = answered(one_run(run_id, world))

    assert [trial["stage"] for trial in answer["trials"]] == ["tune"] * 3 + ["fine-tune"] * 2
    assert {name: answer["evaluation"][name] for name in FULL_SCORES} == FULL_SCORES
    assert answer["single_view"] == FULL_SCORES["single_view"]
    assert (answer["best_head"]["objective"], answer["validation_accuracy"]) == (0.9, 0.95)


def test_an_unknown_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match=r"There is no run sb-ffffffffffffffff-1\."):
        one_run("sb-ffffffffffffffff-1", world)
