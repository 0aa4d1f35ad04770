"""One run after another: which is the champion, and which warm-starts which."""

from dataclasses import replace

import pytest

from job_manager.domain import layout
from job_manager.domain.run import Run, RunState
from job_manager.domain.search_space import FIXED_HYPERPARAMETERS, Continuous, as_text
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import MODEL_SHA256, World

OTHER_SPACE = as_text({"learning_rate": Continuous(0.001, 0.002)}, FIXED_HYPERPARAMETERS)


def test_evaluate_gets_the_champion(world: World, run: Run) -> None:
    champion = world.complete(run.run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()

    world.complete(second.run_id, 0.95, champion=0.9)

    assert second.champion_before == champion.run_id
    assert world.jobs.evaluated[second.run_id]["champion"] == champion.model_uri
    assert world.jobs.champion_sha256[second.run_id] == MODEL_SHA256


def test_the_champions_digest_comes_from_the_table_not_the_bucket(world: World, run: Run) -> None:
    world.complete(run.run_id)
    beside = layout.scores(run.run_id)
    world.bucket.put(beside, world.bucket.contents[beside].replace(MODEL_SHA256.encode(), b"0" * 64))
    world.upload_dataset(batch="second")
    (second,) = world.settle()

    world.complete(second.run_id, 0.95, champion=0.9)

    assert world.jobs.champion_sha256[second.run_id] == MODEL_SHA256


def test_a_champion_recorded_without_a_digest_is_scored_as_it_is(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)
    world.end_tuning(run.run_id)
    champion = world.end_evaluation(run.run_id, model_sha256=None)
    world.upload_dataset(batch="second")
    (second,) = world.settle()

    world.complete(second.run_id, 0.95, champion=0.9)

    assert world.jobs.evaluated[second.run_id]["champion"] == champion.model_uri
    assert world.jobs.champion_sha256[second.run_id] is None


@pytest.mark.parametrize(("accuracy", "winner"), [(0.95, "second"), (0.9, "first"), (0.8, "first")])
def test_a_run_replaces_the_champion_only_if_it_beats_it(world: World, run: Run, accuracy: float, winner: str) -> None:
    world.complete(run.run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()

    world.complete(second.run_id, accuracy, champion=0.9)

    champion = world.runs.champion()
    assert champion is not None
    assert champion.run_id == {"first": run.run_id, "second": second.run_id}[winner]


def test_a_run_not_compared_with_the_champion_does_not_replace_it(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)
    world.end_tuning(run.run_id)
    champion = another_champion(world)

    ended = world.end_evaluation(run.run_id)

    assert (ended.state, ended.won) == (RunState.COMPLETED, False)
    assert world.runs.open_run() is None
    assert world.runs.champion() == champion


def test_a_run_that_beat_a_lost_champion_becomes_the_champion(world: World, run: Run) -> None:
    world.complete(run.run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    world.runs = MemoryRuns()
    world.runs.create(second)

    ended = world.complete(second.run_id, 0.95, champion=0.9)

    assert (ended.state, ended.won) == (RunState.COMPLETED, True)
    assert world.runs.champion() == ended


def another_champion(world: World) -> Run:
    """A run that became the champion while the open run was in progress, as can happen after a rebuild."""
    other = World()
    other.upload_dataset(batch="other")
    (run,) = other.settle()
    champion = other.complete(run.run_id)
    world.runs.set_champion(champion)
    return champion


def test_uploads_during_a_run_start_exactly_one_warm_started_run(world: World, run: Run) -> None:
    for i in range(20):
        world.upload(f"seedlings/Maize/during-{i}.png")
        world.clock.forward(90)
    world.settle()

    first = world.complete(run.run_id)
    (second,) = world.settle()

    assert second.warm_start_from == (first.run_id,)
    assert world.complete(second.run_id).state is RunState.COMPLETED
    assert world.settle() == []


def test_a_run_is_warm_started_from_the_five_latest_completed_runs(world: World) -> None:
    completed = []
    for i in range(7):
        world.upload_dataset(batch=f"batch-{i}")
        (run,) = world.settle()
        completed.append(world.complete(run.run_id).run_id)
    world.upload_dataset(batch="failing")
    (failing,) = world.settle()
    world.fail(f"{failing.run_id}-prepare")
    world.advance(failing.run_id)

    world.upload_dataset(batch="last")
    (last,) = world.settle()

    assert last.warm_start_from == tuple(reversed(completed[2:]))


def test_a_run_is_warm_started_only_from_the_same_search_space(world: World) -> None:
    present, world.plan = world.plan, replace(world.plan, search_space=OTHER_SPACE)
    world.complete(world.start().run_id)
    world.plan = present

    world.upload_dataset(batch="second")
    (second,) = world.settle()

    assert second.warm_start_from == ()


def test_a_deleted_champion_model_does_not_fail_an_evaluation(world: World, run: Run) -> None:
    world.complete(run.run_id)
    del world.bucket.contents[layout.model(run.run_id)]
    world.upload_dataset(batch="second")
    (second,) = world.settle()

    world.complete(second.run_id)

    assert "champion" not in world.jobs.evaluated[second.run_id]
