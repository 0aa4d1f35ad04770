"""A run goes as far as its jobs allow, however often and in whatever order events arrive."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from job_manager.domain import layout
from job_manager.domain.errors import NotFound
from job_manager.domain.job import JobStatus
from job_manager.domain.results.trial import Head, Heads, Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.advance_run import advance_run, record_trial
from job_manager.steps.api import summary
from tests.fakes.world import World


def test_a_run_goes_through_all_stages_to_its_model(world: World, run: Run) -> None:
    assert world.end_prepare(run.run_id).state is RunState.TUNING
    assert world.end_tuning(run.run_id, 0.7, 0.9, None).state is RunState.EVALUATING
    done = world.end_evaluation(run.run_id, 0.85)

    assert done.state is RunState.COMPLETED
    assert world.jobs.created == [f"{run.run_id}-prepare", run.run_id, f"{run.run_id}-evaluate"]
    assert done.best_trial is not None
    assert done.best_trial.name == f"{run.run_id}-002-0a1b2c3d"
    assert done.model_uri == f"s3://seedlings-in-memory/runs/{run.run_id}/evaluation/model.tar.gz"
    assert done.won
    assert world.runs.champion() == done
    assert world.runs.open_run() is None
    assert len(world.runs.trials(run.run_id)) == 3


def heads_scored(world: World, trial: str, content: bytes) -> str:
    """A trial of a plan with two heads a job has written this, and ends; the run's id."""
    world.plan = replace(world.plan, heads_per_job=2)
    run_id = world.start().run_id
    world.bucket.put(layout.heads(run_id, f"{run_id}-{trial}"), content)
    world.end_prepare(run_id)
    world.end_tuning(run_id, 0.7, 0.9)
    return run_id


HEADS = Heads(2, (Head({"learning_rate": "0.003"}, 0.8), Head({"learning_rate": "0.004"}, 0.9)))


def test_a_trial_is_recorded_with_its_heads_and_the_best_ones_hyperparameters(world: World) -> None:
    run_id = heads_scored(world, "002-0a1b2c3d", msgspec.json.encode(HEADS))

    without, best = world.runs.trials(run_id)
    assert (without.heads, without.best_head, without.hyperparameters) == ((), 0, {"learning_rate": "0.003"})
    assert (best.heads, best.best_head, best.hyperparameters) == (HEADS.heads, 2, {"learning_rate": "0.004"})
    assert world.runs.get(run_id).best_trial == best
    record_trial(best.name, world)
    assert world.runs.trials(run_id)[1] == best


@pytest.mark.parametrize("content", [b"", b"{}", b'{"best": 3, "heads": [{"hyperparameters": {}}]}', b'{"best": "x"}'])
def test_a_trial_whose_heads_can_not_be_read_is_recorded_without_them(world: World, content: bytes) -> None:
    run_id = heads_scored(world, "002-0a1b2c3d", content)

    assert world.runs.get(run_id).state is RunState.EVALUATING
    assert [trial.heads for trial in world.runs.trials(run_id)] == [(), ()]


def test_the_cost_covers_all_jobs(world: World, run: Run) -> None:
    done = world.complete(run.run_id)

    assert (done.training_seconds, done.processing_seconds) == (300, 120)
    assert done.cost_usd == pytest.approx(300 / 3600 * 0.1 + 120 / 3600 * 0.2)


def test_evaluate_gets_only_the_best_trials_model_without_a_champion(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)
    world.end_tuning(run.run_id)

    trial = f"{run.run_id}-002-0a1b2c3d"
    model = f"s3://seedlings-in-memory/models/{trial}.tar.gz"
    assert world.jobs.evaluated[run.run_id] == {"model": model}


def test_an_event_while_the_job_is_running_changes_nothing(world: World, run: Run) -> None:
    assert world.advance(run.run_id) == run
    assert world.jobs.created == [f"{run.run_id}-prepare"]


def test_repeated_events_change_nothing(world: World, run: Run) -> None:
    for step in (world.end_prepare, world.end_tuning, world.end_evaluation):
        moved = step(run.run_id)
        assert [world.advance(run.run_id) for _ in range(3)] == [moved] * 3

    assert len(world.jobs.created) == 3


def test_one_event_moves_a_run_through_all_stages_with_lost_events(world: World, run: Run) -> None:
    other = World()
    other.complete(other.start().run_id)
    world.jobs = other.jobs
    world.bucket.contents.update(other.bucket.contents)

    assert world.advance(run.run_id).state is RunState.COMPLETED


@pytest.mark.parametrize(
    ("status", "state"), [(JobStatus.FAILED, RunState.FAILED), (JobStatus.STOPPED, RunState.STOPPED)]
)
@pytest.mark.parametrize("stage", ["prepare", "tuning", "evaluate"])
def test_a_job_that_does_not_complete_ends_the_run_with_its_reason(
    world: World, run: Run, stage: str, status: JobStatus, state: RunState
) -> None:
    job = {"prepare": f"{run.run_id}-prepare", "tuning": run.run_id, "evaluate": f"{run.run_id}-evaluate"}[stage]
    if stage != "prepare":
        world.end_prepare(run.run_id)
    if stage == "evaluate":
        world.end_tuning(run.run_id)

    world.fail(job, "The disk is full.", status)
    ended = world.advance(run.run_id)

    assert (ended.state, ended.reason) == (state, "The disk is full.")
    assert ended.ended_at == world.clock.now()
    assert world.runs.open_run() is None
    assert world.runs.champion() is None


def test_a_job_that_gives_no_reason_is_named(world: World, run: Run) -> None:
    world.fail(f"{run.run_id}-prepare")

    assert world.advance(run.run_id).reason == f"The job {run.run_id}-prepare failed and gave no reason."


def test_a_tuning_job_without_a_finished_trial_fails_the_run_and_is_billed(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)

    failed = world.end_tuning(run.run_id, None, None)

    assert (failed.state, failed.reason) == (RunState.FAILED, "No trial finished.")
    assert failed.training_seconds == 200


@pytest.mark.parametrize("stage", ["prepare", "tuning", "evaluate"])
def test_a_job_that_sagemaker_refuses_fails_the_run_with_the_reason(world: World, stage: str) -> None:
    twin = World()
    run_id = twin.start().run_id
    world.upload_dataset()
    names = {"prepare": f"{run_id}-prepare", "tuning": run_id, "evaluate": f"{run_id}-evaluate"}
    world.jobs.rejected[names[stage]] = "No such role."

    (run,) = world.settle()
    if stage != "prepare":
        run = world.end_prepare(run_id)
    if stage == "evaluate":
        run = world.end_tuning(run_id)

    assert (run.state, run.reason) == (RunState.FAILED, "SageMaker refused the job: No such role.")


@pytest.mark.parametrize("body", [None, b"", b"not JSON", b'{"images": "many"}'])
@pytest.mark.parametrize("stage", ["prepare", "evaluate"])
def test_a_job_with_missing_or_malformed_output_fails_its_run(
    world: World, run: Run, stage: str, body: bytes | None
) -> None:
    key, job = layout.dataset_report(run.run_id), layout.prepare_job(run.run_id)
    if stage == "evaluate":
        world.end_prepare(run.run_id)
        world.end_tuning(run.run_id)
        key, job = layout.scores(run.run_id), layout.evaluation_job(run.run_id)
    if body is not None:
        world.bucket.put(key, body)
    world.jobs.end(job)

    failed = world.advance(run.run_id)

    assert failed.state is RunState.FAILED
    assert key in (failed.reason or "")
    assert world.runs.open_run() is None


def test_the_second_to_move_a_run_gets_the_result_of_the_first(world: World, run: Run) -> None:
    def another_function() -> None:
        world.advance(run.run_id)

    world.runs.before_move = another_function

    assert world.end_prepare(run.run_id).state is RunState.TUNING
    assert world.jobs.created == [f"{run.run_id}-prepare", run.run_id]


def test_uploads_during_a_run_keep_their_quiet_period(world: World, run: Run) -> None:
    world.timer.wakes.clear()
    world.upload("seedlings/Maize/during.png")
    world.timer.wakes.clear()

    world.complete(run.run_id)

    assert world.timer.wakes[0][0] == world.clock.now() + timedelta(minutes=2)


def test_a_job_of_an_unknown_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        advance_run("sb-ffffffffffffffff-1", world, world.rule)


def test_trials_are_recorded_while_running_and_when_ended(world: World, run: Run) -> None:
    world.end_prepare(run.run_id)
    name = f"{run.run_id}-001-0a1b2c3d"
    for trial in (Trial(name, "InProgress", {"epochs": "20"}), Trial(name, "Completed", {"epochs": "20"}, 0.8, 90)):
        world.jobs.add_trial(run.run_id, trial)
        record_trial(name, world)
        assert world.runs.trials(run.run_id) == [world.jobs.trial(name)]


@pytest.mark.parametrize("name", ["somebody-elses-job", "sb-ffffffffffffffff-1-001-0a1b2c3d"])
def test_a_training_job_of_an_unknown_run_is_not_found(world: World, name: str) -> None:
    with pytest.raises(NotFound):
        record_trial(name, world)


def test_a_run_reports_what_its_job_waits_for(world: World, run: Run) -> None:
    name = f"{run.run_id}-prepare"
    world.jobs.jobs[name] = replace(world.jobs.jobs[name], reason="It waits: the disk is full.")

    waiting = world.advance(run.run_id)

    assert (waiting.state, waiting.waits_for) == (RunState.PREPARING, "It waits: the disk is full.")
    assert world.advance(run.run_id) == waiting == world.runs.open_run()
    assert summary(waiting).notice == "It waits: the disk is full."
    world.jobs.jobs[name] = replace(world.jobs.jobs[name], reason=None)
    assert world.advance(run.run_id) == run
    assert world.complete(run.run_id).waits_for is None
