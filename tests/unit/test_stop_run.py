"""A person stops a run: at once, in any stage, and for good."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from job_manager.domain import layout
from job_manager.domain.errors import Conflict, NotFound
from job_manager.domain.job import JobStatus
from job_manager.domain.run import Run, RunState
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from job_manager.steps.stop_run import BY_A_PERSON, stop_run
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import FULL_PLAN, World


@pytest.fixture
def run(world: World) -> Run:
    """A run that is being prepared."""
    world.plan = FULL_PLAN
    return world.start()


def prepared(world: World, run: Run) -> Run:
    return run


def tuned(world: World, run: Run) -> Run:
    return world.end_prepare(run.run_id)


def fine_tuned(world: World, run: Run) -> Run:
    run = tuned(world, run) if run.state is RunState.PREPARING else run
    return world.end_tuning(run.run_id)


def evaluated(world: World, run: Run) -> Run:
    run = fine_tuned(world, run) if run.state is RunState.PREPARING else run
    return world.end_fine_tuning(run.run_id, 0.94, 0.95)


STAGES = [prepared, tuned, fine_tuned, evaluated]


@pytest.mark.parametrize("stage", STAGES)
def test_stop_ends_the_job_of_any_stage_and_the_run(world: World, run: Run, stage: Callable[[World, Run], Run]) -> None:
    run = stage(world, run)

    stop_run(run.run_id, world)
    assert world.jobs.stopped == [run.job]
    world.jobs.end(run.job, JobStatus.STOPPED)
    ended = world.advance(run.run_id)

    assert (ended.state, ended.reason) == (RunState.STOPPED, BY_A_PERSON)
    assert world.runs.open_run() is None


@pytest.mark.parametrize(("stage", "completes"), list(pairwise(STAGES)))
def test_a_stopped_run_starts_no_other_job_if_its_job_completes(
    world: World, run: Run, stage: Callable[[World, Run], Run], completes: Callable[[World, Run], Run]
) -> None:
    run = stage(world, run)
    created = list(world.jobs.created)
    stop_run(run.run_id, world)

    ended = completes(world, run)

    assert (ended.state, ended.reason) == (RunState.STOPPED, BY_A_PERSON)
    assert world.jobs.created == created


def test_a_stopped_run_completes_if_its_last_job_does(world: World, run: Run) -> None:
    run = evaluated(world, run)
    stop_run(run.run_id, world)

    assert world.end_evaluation(run.run_id).state is RunState.COMPLETED


def test_a_stopped_run_counts_its_cost(world: World, run: Run) -> None:
    run = tuned(world, run)
    stop_run(run.run_id, world)

    ended = world.end_tuning(run.run_id)

    assert ended.training_seconds == 300
    assert ended.processing_seconds == 60


def test_a_run_between_two_jobs_stops_at_once(world: World, run: Run) -> None:
    del world.jobs.jobs[run.job]
    created = list(world.jobs.created)
    stop_run(run.run_id, world)

    ended = world.advance(run.run_id)

    assert (ended.state, ended.reason) == (RunState.STOPPED, BY_A_PERSON)
    assert world.jobs.created == created


def test_reconcile_stops_a_job_started_during_the_stop_request(world: World, run: Run) -> None:
    stop_run(run.run_id, world)
    world.jobs.stopped.clear()

    reconcile(world, world.plan, world.rule)

    assert world.jobs.stopped == [run.job]


def test_a_stop_request_survives_the_loss_of_the_table(world: World, run: Run) -> None:
    stop_run(run.run_id, world)
    world.runs = MemoryRuns()

    rebuild(world, world.rule)
    world.end_prepare(run.run_id)

    assert world.runs.get(run.run_id).state is RunState.STOPPED


def test_rebuild_restores_all_stages_of_a_stopped_run(world: World, run: Run) -> None:
    run = evaluated(world, run)
    stop_run(run.run_id, world)
    world.jobs.end(run.job, JobStatus.STOPPED)
    ended = world.advance(run.run_id)
    trials = world.runs.trials(run.run_id)
    world.runs = MemoryRuns()

    rebuild(world, world.rule)

    assert world.runs.get(run.run_id) == ended
    assert world.runs.trials(run.run_id) == trials


def test_a_run_that_has_ended_cannot_be_stopped(world: World, run: Run) -> None:
    world.complete(run.run_id)

    with pytest.raises(Conflict, match="has already ended: it is Completed"):
        stop_run(run.run_id, world)

    assert not world.bucket.has(layout.stop(run.run_id))


def test_an_unknown_run_cannot_be_stopped(world: World) -> None:
    with pytest.raises(NotFound):
        stop_run("sb-ffffffffffffffff-1", world)
