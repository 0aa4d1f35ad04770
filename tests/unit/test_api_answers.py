"""The API's answers."""

from functools import partial
from typing import Any

import pytest

from job_manager.domain.errors import NotFound, WrongRequest
from job_manager.domain.results.trial import Epoch, Trial
from job_manager.domain.run import Run
from job_manager.steps.api import best_model, health, models, one_run, recent_runs, trials
from tests.fakes.world import FULL_PLAN, MODEL_SHA256, World, answered

FULL_SCORES: dict[str, Any] = {
    "single_view": {"accuracy": 0.88, "macro_f1": 0.87},
    "views": 8,
    "temperature": 1.3,
    "calibration": {"ece_before": 0.06, "ece_after": 0.02, "changed": {"ece_before": 0.08, "ece_after": 0.03}},
    "when_sure": {
        "error_rate": 0.05,
        "false_alarm_rate": 0.02,
        "confidence": 0.82,
        "test": {"images": 70, "sure": 0.8, "wrong": 0.03, "unlike": 0.01},
        "changed": {"images": 560, "sure": 0.68, "wrong": 0.05, "unlike": 0.01},
    },
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
    "changes": {
        "images": 40,
        "accuracy": 0.86,
        "macro_f1": 0.85,
        "weakest": "noise",
        "by_change": {"noise": {"accuracy": 0.86, "macro_f1": 0.85}},
        "unchanged": {"accuracy": 0.925, "macro_f1": 0.91},
    },
}


CHAMPIONS = ((0.8, None), (0.81, 0.8), (0.82, 0.81))


def complete_another(world: World, number: int, accuracy: float = 0.9, champion: float | None = None) -> Run:
    """A run on more images, an hour after the last."""
    world.clock.forward(3600)
    world.upload_dataset(batch=f"batch-{number}")
    (run,) = world.settle()
    return world.complete(run.run_id, accuracy, champion)


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
        "objective": 0.9,
        "validation_accuracy": 0.92,
        "test_accuracy": 0.85,
        "test_accuracy_interval": [0.7, 0.97],
        "macro_f1": 0.85,
        "hyperparameters": {"learning_rate": "0.003"},
        "dataset": {"images": 12, "used": 12, "labels": ["Common wheat", "Maize"]},
        "cost_usd": round(run.cost_usd, 4),
        "created_at": run.created_at.isoformat(),
        "single_view": None,
        "views": 1,
        "changes": None,
        "when_sure": None,
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
    noted = world.clock.now().isoformat()
    assert answer["pending"] == {"first_at": noted, "last_at": noted, "request": None}


def test_without_runs_the_list_is_empty(world: World) -> None:
    assert answered(recent_runs(world)) == {"runs": [], "pending": None, "next": None}


def test_runs_come_in_pages(world: World) -> None:
    runs = [complete_another(world, number).run_id for number in range(5)]

    pages = [recent_runs(world, limit=2)]
    while pages[-1].next:
        pages.append(recent_runs(world, limit=2, cursor=pages[-1].next))

    assert [[run.run_id for run in page.runs] for page in pages] == [
        [runs[4], runs[3]],
        [runs[2], runs[1]],
        [runs[0]],
    ]
    assert recent_runs(world, limit=5).next is None


@pytest.mark.parametrize("listing", [recent_runs, partial(models, limit=2)])
def test_an_unknown_cursor_is_refused(world: World, listing: Any) -> None:
    with pytest.raises(WrongRequest, match="Ask without it"):
        listing(world, cursor="sb-ffffffffffffffff-1")


def test_the_best_models_come_newest_first_with_what_they_beat(world: World) -> None:
    first, second, third = (
        complete_another(world, number, accuracy, champion) for number, (accuracy, champion) in enumerate(CHAMPIONS)
    )
    complete_another(world, 4, 0.7, 0.82)

    page = models(world, limit=2)

    assert [(model.run_id, model.champion_before) for model in page.models] == [
        (third.run_id, second.run_id),
        (second.run_id, first.run_id),
    ]
    assert page.models[0].champion is not None
    assert (page.models[0].test_accuracy, page.models[0].champion.accuracy) == (0.82, 0.81)
    assert page.next == second.run_id
    (oldest,) = models(world, limit=2, cursor=second.run_id).models
    assert (oldest.run_id, oldest.champion_before, oldest.champion) == (first.run_id, None, None)


def test_without_a_model_there_is_no_history(world: World) -> None:
    assert answered(models(world, limit=2)) == {"models": [], "next": None}


def test_trials_come_with_the_curves_that_are_asked_for(world: World) -> None:
    run = world.complete(world.start().run_id)
    names = [f"{run.run_id}-00{i}-0a1b2c3d" for i in (1, 2, 3)]
    epoch = Epoch(1, 1, 0.9, 0.5, 1.0, 0.4)
    world.logs.printed[names[1]] = [epoch]

    answer = trials(run.run_id, world, {names[1], names[2]})

    assert [(trial.name, trial.epochs) for trial in answer.trials] == [
        (names[0], None),
        (names[1], (epoch,)),
        (names[2], ()),
    ]
    assert answer.trials[1].objective == 0.9


def test_curves_of_other_jobs_are_refused(world: World) -> None:
    run = world.complete(world.start().run_id)

    with pytest.raises(WrongRequest, match="has no trial somebody-elses"):
        trials(run.run_id, world, {"somebody-elses"})


def test_more_curves_than_a_request_has_time_for_are_refused(world: World) -> None:
    run = world.start()
    names = {f"trial-{number}" for number in range(21)}
    for name in names:
        world.runs.save_trial(run.run_id, Trial(name, "InProgress", {}))

    with pytest.raises(WrongRequest, match="At most 20 curves"):
        trials(run.run_id, world, names)


def test_health_says_what_is_going_on(world: World) -> None:
    champion = world.complete(world.start().run_id)
    assert answered(health(world)) == {
        "status": "ok",
        "open_run": None,
        "waits_for": None,
        "best_model": champion.run_id,
        "pending": None,
    }
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    assert health(world).open_run == second.run_id


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
    assert {name: answer[name] for name in ("single_view", "changes")} == {
        name: FULL_SCORES[name] for name in ("single_view", "changes")
    }
    assert (answer["best_head"]["objective"], answer["objective"], answer["validation_accuracy"]) == (0.9, 0.95, 0.92)


def test_an_unknown_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match=r"There is no run sb-ffffffffffffffff-1\."):
        one_run("sb-ffffffffffffffff-1", world)
