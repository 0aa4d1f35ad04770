"""A run that failed or was stopped gets another attempt: by itself, for another plan, or as a person asks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from job_manager.domain import layout
from job_manager.domain.errors import Conflict, NotFound
from job_manager.domain.job import JobStatus
from job_manager.domain.plan import Machine, Plan
from job_manager.domain.reason import NO_SPOT_INSTANCE, blames_aws
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState, is_run_id, run_id_of
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from job_manager.steps.retry_run import retry_run
from job_manager.steps.start_run import WARM_START_JOBS, warm_start_parents
from job_manager.steps.stop_run import stop_run
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import FULL_PLAN, PLAN, World, a_run

CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
UNPULLED = (
    "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect."
)
UNKNOWN_IMAGE = (
    "ClientError: API error (404): manifest for 1.dkr.ecr.us-east-1.amazonaws.com/x:1 not found: manifest unknown"
)
OVER_QUOTA = (
    "ResourceLimitExceeded: The account-level service limit 'ml.m5.large for training job usage' is 4 Instances"
)
INTERNAL = "InternalServerError: We encountered an internal error. Please try again."


def failed(world: World, reason: str = "AlgorithmError: The loss is not a number.") -> Run:
    """A run whose prepare job failed."""
    run = world.start()
    world.fail(layout.prepare_job(run.run_id), reason)
    return world.advance(run.run_id)


def stopped(world: World) -> Run:
    run = world.start()
    stop_run(run.run_id, world)
    world.jobs.end(layout.prepare_job(run.run_id), JobStatus.STOPPED)
    return world.advance(run.run_id)


def look(world: World) -> list[Run]:
    """Reconcile runs, and whatever it woke."""
    reconcile(world, world.plan, world.rule)
    return world.settle()


@pytest.mark.parametrize("ending", [failed, stopped])
def test_retry_starts_the_next_attempt_once(world: World, ending: Callable[[World], Run]) -> None:
    run = ending(world)
    assert look(world) == []

    for _ in range(2):
        retry_run(run.run_id, world, world.rule)
    [again] = world.settle()

    assert (again.run_id, again.state) == (run.run_id.removesuffix("1") + "2", RunState.PREPARING)
    assert world.jobs.created[-1] == f"{again.run_id}-prepare"
    assert world.complete(again.run_id).state is RunState.COMPLETED
    assert world.settle() == look(world) == []


def test_retry_may_be_asked_for_again_and_again(world: World) -> None:
    runs = [failed(world)]
    for _ in range(11):
        retry_run(runs[-1].run_id, world, world.rule)
        [run] = world.settle()
        world.fail(layout.prepare_job(run.run_id))
        runs.append(world.advance(run.run_id))

    assert [run.attempt for run in runs] == list(range(1, 13))
    assert len(set(world.jobs.created)) == len(world.jobs.created)


def test_the_longest_name_of_a_job_fits_amts_limit() -> None:
    run_id = run_id_of("f" * 64, 999_999)

    assert is_run_id(run_id)
    assert len(layout.fine_tuning_job(run_id)) <= 32


def test_an_open_a_completed_and_a_refused_run_are_not_repeated(world: World) -> None:
    run = world.start()
    with pytest.raises(Conflict, match=rf"still in progress\..* seedbed stop {run.run_id}"):
        retry_run(run.run_id, world, world.rule)
    world.complete(run.run_id)
    with pytest.raises(Conflict, match="has succeeded"):
        retry_run(run.run_id, world, world.rule)
    world.plan = replace(world.plan, budget=0.0)
    world.upload_dataset(batch="second")
    [refused] = world.settle()
    with pytest.raises(Conflict, match=r"was refused, and starts by itself once this has changed: .*budget"):
        retry_run(refused.run_id, world, world.rule)
    with pytest.raises(NotFound):
        retry_run("sb-ffffffffffffffff-1", world, world.rule)

    assert world.runs.pending() is None


def test_only_the_latest_run_is_repeated(world: World) -> None:
    first = failed(world)
    world.clock.forward(60)
    world.upload_dataset(batch="second")
    [second] = world.settle()

    with pytest.raises(Conflict, match=f"The run {second.run_id} is newer than {first.run_id}"):
        retry_run(first.run_id, world, world.rule)
    world.fail(layout.prepare_job(second.run_id))
    world.advance(second.run_id)
    with pytest.raises(Conflict, match=f"Retry that one: seedbed retry {second.run_id}"):
        retry_run(first.run_id, world, world.rule)
    retry_run(second.run_id, world, world.rule)

    assert [run.run_id for run in world.settle()] == [second.run_id.removesuffix("1") + "2"]


def test_a_retry_survives_the_loss_of_its_wake_up_and_of_the_table(world: World) -> None:
    run = stopped(world)
    retry_run(run.run_id, world, world.rule)
    world.timer.wakes.clear()
    world.runs = MemoryRuns()
    rebuild(world, world.rule)

    assert [again.attempt for again in look(world)] == [2]


@pytest.mark.parametrize("reason", [CAPACITY, OVER_QUOTA, UNPULLED, UNKNOWN_IMAGE, INTERNAL])
def test_a_fault_of_sagemaker_is_tried_again_once(world: World, reason: str) -> None:
    run = failed(world, reason)
    assert (run.state, run.reason) == (RunState.FAILED, f"{reason.rstrip('.')}. It begins again.")

    [second] = world.settle()
    world.fail(layout.prepare_job(second.run_id), reason)
    second = world.advance(second.run_id)

    assert (second.attempt, second.begins_again, second.reason) == (2, False, reason)
    assert world.settle() == look(world) == []
    retry_run(second.run_id, world, world.rule)
    [third] = world.settle()
    world.fail(layout.prepare_job(third.run_id), reason)
    assert world.advance(third.run_id).begins_again


@pytest.mark.parametrize(
    ("reasons", "again"), [([CAPACITY, INTERNAL], True), ([CAPACITY, "AlgorithmError: no"], False)]
)
def test_trials_that_all_failed_by_sagemakers_fault_are_tried_again(
    world: World, reasons: list[str], again: bool
) -> None:
    run = world.end_prepare(world.start().run_id)
    for number, reason in enumerate(reasons):
        world.jobs.add_trial(run.run_id, Trial(f"{run.run_id}-00{number}-0a1b2c3d", "Failed", {}, reason=reason))
    world.jobs.end(run.run_id, JobStatus.FAILED, "All training jobs failed.")

    assert world.advance(run.run_id).begins_again is again
    assert len(world.settle()) == again


@pytest.mark.parametrize(
    "reason",
    [
        None,
        "",
        "AlgorithmError: InternalServerError: the container's own words",
        "ClientError: Data download failed: No S3 objects found.",
        "AlgorithmError: , exit code: 137",
    ],
)
def test_other_failures_are_not_sagemakers_fault(reason: str | None) -> None:
    assert not blames_aws(reason)


@pytest.mark.parametrize(
    ("change", "repeated"),
    [
        ({"training_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/seedbed-trainer@sha256:" + "a" * 64}, True),
        ({"training": Machine("ml.m5.xlarge", 0.1)}, True),
        ({"processing_time_limit": 7200}, True),
        ({"trials": 5}, True),
        ({"parallel_trials": 1}, True),
        ({"training": Machine("ml.m5.large", 0.2)}, False),
        ({"budget": 11.0}, False),
        ({"monthly_budget": 50.0}, False),
        ({}, False),
    ],
)
def test_a_failed_run_is_repeated_once_under_another_plan(
    world: World, change: dict[str, object], repeated: bool
) -> None:
    failed(world)
    world.plan = replace(world.plan, **change)  # type: ignore[arg-type]

    runs = look(world)

    assert len(runs) == repeated
    assert world.runs.pending() is None
    if runs:
        world.fail(layout.prepare_job(runs[0].run_id))
        world.advance(runs[0].run_id)
        assert look(world) == []


def test_an_upload_of_the_same_images_repeats_a_failed_run_under_another_plan(world: World) -> None:
    failed(world)
    world.plan = replace(world.plan, training=Machine("ml.m5.xlarge", 0.1))
    world.upload_dataset()

    assert [run.attempt for run in world.settle()] == [2]


def test_a_stopped_run_is_not_repeated_under_another_plan(world: World) -> None:
    stopped(world)
    world.plan = replace(world.plan, training=Machine("ml.m5.xlarge", 0.1))

    assert look(world) == []


def lacks_spot(world: World, run: Run) -> Run:
    """The run's training jobs get no spot instance in time."""
    world.end_prepare(run.run_id)
    for number in (1, 2):
        trial = Trial(f"{run.run_id}-{number:03}-0a1b2c3d", "Stopped", {}, reason=f"{NO_SPOT_INSTANCE}.")
        world.jobs.add_trial(run.run_id, trial)
    world.fail(run.run_id, "No training job finished.")
    return world.advance(run.run_id)


def test_a_run_without_spot_instances_begins_again_on_demand(world: World) -> None:
    world.plan = replace(world.plan, spot=True)

    failed = lacks_spot(world, world.start())
    [again] = world.settle()

    assert (failed.state, failed.reason) == (RunState.FAILED, f"{NO_SPOT_INSTANCE}. It begins again.")
    assert not again.plan.spot
    assert world.complete(again.run_id).state is RunState.COMPLETED
    world.upload_dataset(batch="later")
    [later] = world.settle()
    assert later.plan.spot


def test_a_run_that_fails_on_demand_is_not_repeated_for_the_sake_of_spot(world: World) -> None:
    world.plan = replace(world.plan, spot=True)
    world.jobs.refuses_spot = True
    run = world.end_prepare(world.start().run_id)
    world.fail(run.run_id, "AlgorithmError: The loss is not a number.")

    assert world.advance(run.run_id).state is RunState.FAILED
    assert look(world) == []


def test_only_runs_with_as_many_heads_in_a_job_are_parents(world: World) -> None:
    plan = replace(PLAN, trials=100, heads_per_job=10)
    run = a_run(plan=plan, state=RunState.COMPLETED)
    world.runs.set_champion(run)

    assert warm_start_parents(world, replace(plan, trials=4900)) == (run.run_id,)
    assert warm_start_parents(world, replace(plan, trials=4901)) == ()
    assert warm_start_parents(world, replace(plan, heads_per_job=9)) == ()


@pytest.mark.parametrize(
    ("own", "theirs", "parents"),
    [(20, [20] * 7, 5), (100, [100] * 7, 4), (480, [20], 1), (481, [20], 0), (300, [300, 100, 100], 2), (600, [1], 0)],
)
def test_the_jobs_of_parents_count_towards_amts_limit(own: int, theirs: list[int], parents: int) -> None:
    world = World()
    for number, trials in enumerate(theirs):
        world.clock.forward(1)
        plan = replace(PLAN, trials=trials)
        run = a_run(f"sb-{number:016x}-1", plan=plan, created_at=world.clock.now())
        world.runs.set_champion(replace(run, state=RunState.COMPLETED))

    chosen = warm_start_parents(world, replace(PLAN, trials=own))

    assert len(chosen) == parents
    assert not chosen or own + sum(world.runs.get(name).plan.trials for name in chosen) <= WARM_START_JOBS
    assert all(later > earlier for later, earlier in pairwise(chosen))


@pytest.mark.parametrize("plan", [PLAN, FULL_PLAN])
def test_a_plan_does_the_same_as_itself_at_other_prices(plan: Plan) -> None:
    dearer = replace(plan, processing=replace(plan.processing, price_per_hour=9.0), budget=1.0)

    assert plan.does_the_same(dearer)
    assert not plan.does_the_same(replace(plan, exports=("onnx",), strategy="Random"))
