"""The trials of a tuning job cost few calls, however many they are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from job_manager.domain.job import JobStatus
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.advance_run import record_trial
from job_manager.steps.reconcile import reconcile
from job_manager.steps.stages.trials import DESCRIBED_AT_ONCE
from job_manager.steps.stop_run import stop_run
from tests.fakes.world import FULL_PLAN, World

MOST = 750


@pytest.fixture
def tuning(world: World) -> Run:
    """A run whose tuning job has as many trials as AMT allows, which all ended."""
    world.plan = replace(world.plan, trials=MOST)
    run = world.end_prepare(world.start().run_id)
    for number in range(MOST):
        name = f"{run.run_id}-{number:03}-0a1b2c3d"
        times = world.clock.now(), world.clock.now() + timedelta(seconds=90)
        world.jobs.add_trial(run.run_id, Trial(name, "Completed", {"dropout": "0.1"}, number / 1000, 80, *times))
    return run


def count_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the trials that are saved from now on."""
    saved: list[str] = []
    save = world.runs.save_trial

    def counted(run_id: str, trial: Trial) -> None:
        saved.append(trial.name)
        save(run_id, trial)

    monkeypatch.setattr(world.runs, "save_trial", counted)
    return saved


def test_trials_whose_events_arrived_are_neither_described_nor_saved_again(
    world: World, tuning: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in world.jobs.trials(tuning.run_id):
        record_trial(trial.name, world)
    assert world.jobs.described == MOST
    saved = count_writes(world, monkeypatch)

    reconcile(world, world.plan, world.rule)
    world.jobs.end(tuning.run_id)
    run = world.advance(tuning.run_id)

    assert run.state is RunState.EVALUATING
    assert (world.jobs.described, saved) == (MOST, [])
    assert run.training_seconds == MOST * 80


def test_trials_whose_events_were_lost_are_described_some_at_a_time_and_each_once(
    world: World, tuning: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.jobs.end(tuning.run_id)
    saved = count_writes(world, monkeypatch)

    calls: list[int] = []
    while world.runs.get(tuning.run_id).state is RunState.TUNING:
        world.advance(tuning.run_id)
        calls.append(world.jobs.described - sum(calls))

    assert calls == [DESCRIBED_AT_ONCE] * 3 + [MOST % DESCRIBED_AT_ONCE]
    assert len(saved) == len(set(saved)) == MOST
    run = world.runs.get(tuning.run_id)
    assert run.best_trial is not None
    assert (run.best_trial.objective, run.training_seconds) == (0.749, MOST * 80)


def test_a_trial_in_progress_is_described_only_while_it_waits_for_an_instance(world: World) -> None:
    run = world.end_prepare(world.start().run_id)
    waiting = Trial(f"{run.run_id}-001-0a1b2c3d", "InProgress", {}, reason="No instance.")
    world.jobs.add_trial(run.run_id, waiting)
    reconcile(world, world.plan, world.rule)
    assert world.runs.get(run.run_id).waits_for == "No instance."

    world.jobs.add_trial(run.run_id, replace(waiting, started_at=world.clock.now(), reason=None))
    reconcile(world, world.plan, world.rule)

    assert world.runs.get(run.run_id).waits_for is None
    assert world.jobs.described == 1


def test_the_model_of_a_run_from_before_is_asked_for(world: World) -> None:
    run = world.end_prepare(world.start().run_id)
    world.run_trials(run.run_id, 0.9)
    world.jobs.end(run.run_id)
    run = world.advance(run.run_id)
    assert run.best_trial is not None
    world.jobs.jobs.pop(run.job)
    world.runs.move(replace(run, best_trial=replace(run.best_trial, model_uri=None)), run.state)

    world.advance(run.run_id)

    assert world.jobs.evaluated[run.run_id] == {
        "model": f"s3://seedlings-in-memory/models/{run.best_trial.name}.tar.gz"
    }


def at_time_limit(world: World, run: Run) -> None:
    """SageMaker stops the run's tuning job as its time is up."""
    world.clock.forward(run.plan.tuning_time_limit)
    world.jobs.end(run.job, JobStatus.STOPPED)


def test_a_tuning_job_stopped_by_its_time_limit_keeps_its_best_trial(world: World) -> None:
    run = world.end_prepare(world.start().run_id)
    world.run_trials(run.run_id, 0.7, 0.8, None)
    at_time_limit(world, run)

    run = world.advance(run.run_id)

    assert run.state is RunState.EVALUATING
    assert run.best_trial is not None
    assert run.best_trial.objective == 0.8
    assert run.notice == (
        "Tuning was stopped by its time limit: the best of 2 finished trials counts. Raise TuningTimeLimitSeconds for "
        "more."
    )


def test_fine_tuning_stopped_by_its_time_limit_keeps_its_best_trial(world: World) -> None:
    world.plan = FULL_PLAN
    run = world.end_tuning(world.end_prepare(world.start().run_id).run_id)
    world.run_trials(run.job, 0.95, None)
    at_time_limit(world, run)

    run = world.advance(run.run_id)

    assert run.state is RunState.EVALUATING
    assert run.best_trial is not None
    assert run.best_trial.objective == 0.95
    assert run.notice is not None
    assert run.notice.startswith("Fine-tuning was stopped by its time limit: the best of 1 finished trial counts.")


@pytest.mark.parametrize("stopped", [True, False])
def test_a_tuning_job_that_a_person_stopped_stops_the_run(world: World, stopped: bool) -> None:
    run = world.end_prepare(world.start().run_id)
    world.run_trials(run.run_id, 0.7)
    if stopped:
        stop_run(run.run_id, world)
        at_time_limit(world, run)
    else:
        world.clock.forward(run.plan.tuning_time_limit - 1)
        world.jobs.end(run.job, JobStatus.STOPPED)

    assert world.advance(run.run_id).state is RunState.STOPPED


def test_a_tuning_job_without_a_finished_trial_at_its_time_limit_stops_the_run(world: World) -> None:
    run = world.end_prepare(world.start().run_id)
    world.run_trials(run.run_id, None)
    at_time_limit(world, run)

    assert world.advance(run.run_id).state is RunState.STOPPED
