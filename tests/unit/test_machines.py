"""A job runs on another instance type where AWS has no quota or capacity for the planned one."""

from dataclasses import replace

import pytest

from job_manager.domain import layout
from job_manager.domain.cost import upper_bound
from job_manager.domain.errors import Cause, JobDelayed, JobRejected
from job_manager.domain.job import JobStatus
from job_manager.domain.plan import Machine
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.settings import machine
from tests.fakes.world import FULL_PLAN, PLAN, World

CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
NO_QUOTA = JobRejected("SageMaker refused the job: the quota is 0.", Cause.QUOTA)
USED_UP = JobDelayed(Cause.CAPACITY, "The job waits, as AWS has no free instance of its type: later.")
SECOND, THIRD = Machine("ml.m5.xlarge", 0.25), Machine("ml.m5.2xlarge", 0.5)
TRAINING = replace(PLAN.training, alternatives=(SECOND, THIRD))
PROCESSING = replace(PLAN.processing, alternatives=(THIRD,))
FINE = replace(FULL_PLAN, training=TRAINING, processing=PROCESSING)
PLANNED = PLAN.training.instance_type


@pytest.fixture
def tuning(world: World) -> Run:
    """A run whose search can be on three types."""
    world.plan = replace(PLAN, training=TRAINING)
    return world.start()


@pytest.mark.parametrize("refused", [NO_QUOTA, USED_UP])
def test_the_next_type_is_taken_where_the_first_is_refused(
    world: World, tuning: Run, refused: JobRejected | JobDelayed
) -> None:
    world.jobs.lacking = {PLANNED: refused, SECOND.instance_type: USED_UP}

    run = world.end_prepare(tuning.run_id)

    assert world.jobs.jobs[run.run_id].instance_type == "ml.m5.2xlarge"
    assert world.runs.get(run.run_id).notice == f"{str(refused).rstrip('.')}. It runs on ml.m5.2xlarge."
    assert world.runs.get(run.run_id).plan == tuning.plan


def test_a_job_costs_what_its_own_machine_costs(world: World, tuning: Run) -> None:
    world.jobs.lacking = {PLANNED: NO_QUOTA}
    world.end_prepare(tuning.run_id)
    world.end_tuning(tuning.run_id)

    run = world.end_evaluation(tuning.run_id)

    assert run.cost_usd == pytest.approx((300 * 0.25 + 120 * 0.2) / 3600)


@pytest.mark.parametrize(("second", "delayed"), [(NO_QUOTA, False), (USED_UP, True)])
def test_a_run_waits_if_any_type_may_become_free_and_else_ends(
    world: World, tuning: Run, second: JobRejected | JobDelayed, delayed: bool
) -> None:
    world.jobs.lacking = {PLANNED: NO_QUOTA, SECOND.instance_type: second, THIRD.instance_type: NO_QUOTA}

    world.end_prepare(tuning.run_id)

    run = world.runs.get(tuning.run_id)
    assert run.state is (RunState.TUNING if delayed else RunState.FAILED)
    assert run.waits_for == (str(USED_UP) if delayed else None)


def test_another_refusal_is_not_tried_on_other_types(world: World, tuning: Run) -> None:
    world.jobs.lacking = {PLANNED: JobRejected("SageMaker refused the job: no such image.")}

    world.end_prepare(tuning.run_id)

    assert world.runs.get(tuning.run_id).state is RunState.FAILED


def test_each_stage_has_its_alternatives(world: World) -> None:
    stage = replace(FULL_PLAN.fine_tuning, machine=Machine("ml.c5.2xlarge", 0.4, (SECOND,)))  # type: ignore[type-var]
    world.plan = replace(FINE, fine_tuning=stage)
    world.jobs.lacking = dict.fromkeys([PLANNED, "ml.m5.xlarge", "ml.c5.2xlarge"], USED_UP)
    run = world.start()
    world.end_prepare(run.run_id)
    world.jobs.lacking.pop("ml.m5.xlarge")
    world.end_tuning(run.run_id)
    world.end_fine_tuning(run.run_id, 0.95)

    jobs = (layout.prepare_job, layout.tuning_job, layout.fine_tuning_job, layout.evaluation_job)
    types = [world.jobs.jobs[job(run.run_id)].instance_type for job in jobs]
    assert types == ["ml.m5.2xlarge", "ml.m5.2xlarge", "ml.m5.xlarge", "ml.m5.xlarge"]


def lose_capacity(world: World, run: Run) -> Run:
    """All trials fail for want of instances."""
    world.end_prepare(run.run_id)
    world.jobs.add_trial(run.run_id, Trial(f"{run.run_id}-001-0a1b2c3d", "Failed", {}, reason=CAPACITY))
    world.jobs.end(run.run_id, JobStatus.FAILED, "All training jobs failed.")
    return world.advance(run.run_id)


def test_the_next_attempt_takes_the_next_type_until_all_were_tried(world: World, tuning: Run) -> None:
    runs, types = [tuning], list[str | None]()
    while runs and len(types) < 9:
        (run,) = runs
        ended = lose_capacity(world, run)
        types.append(world.jobs.jobs[run.run_id].instance_type)
        runs = world.settle()

    assert types == [PLANNED, "ml.m5.xlarge", "ml.m5.2xlarge"]
    assert (ended.state, ended.begins_again) == (RunState.FAILED, False)


def test_an_internal_error_is_no_reason_for_another_type(world: World, tuning: Run) -> None:
    world.end_prepare(tuning.run_id)
    world.jobs.end(tuning.run_id, JobStatus.FAILED, "InternalServerError: We encountered an internal error.")
    world.advance(tuning.run_id)

    (again,) = world.settle()
    world.end_prepare(again.run_id)

    assert world.jobs.jobs[again.run_id].instance_type == PLANNED


def test_the_bound_is_of_the_dearest_machine() -> None:
    dear = replace(PLAN, training=replace(PLAN.training, price_per_hour=THIRD.price_per_hour))

    assert upper_bound(replace(PLAN, training=TRAINING)) == pytest.approx(upper_bound(dear))


def test_other_prices_of_alternatives_are_no_other_plan() -> None:
    plan = replace(PLAN, training=TRAINING)
    dearer = replace(TRAINING, alternatives=(replace(SECOND, price_per_hour=9.0), THIRD))

    assert plan.does_the_same(replace(plan, training=dearer))
    assert not plan.does_the_same(PLAN)


def test_alternatives_are_read_with_their_prices() -> None:
    assert machine("ml.m5.large", 0.115, "ml.m5.xlarge=0.25,ml.m5.2xlarge=0.5").alternatives == (SECOND, THIRD)
    assert machine("ml.m5.large", 0.115, "") == Machine("ml.m5.large", 0.115)
