"""SageMaker creates no job for now: the run waits, says for what, and ends after a stated time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from job_manager.domain import layout
from job_manager.domain.errors import Cause, JobDelayed, JobRejected
from job_manager.domain.refusal import NOTICE_AFTER, PATIENCE, refusal
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.api import one_run, summary
from job_manager.steps.reconcile import reconcile
from job_manager.steps.stop_run import stop_run
from tests.chaos.refusals import REFUSALS, quota
from tests.fakes.world import FULL_PLAN, World

FIVE_MINUTES = 300
CAUSES = {
    "quota used up": Cause.QUOTA,
    "another limit": Cause.QUOTA,
    "capacity": Cause.CAPACITY,
    "permission": Cause.PERMISSION,
    "role": Cause.PERMISSION,
    "repository": Cause.PERMISSION,
    "throttling": Cause.THROTTLING,
    "service": Cause.SERVICE,
}


def preparing(world: World) -> Run:
    world.jobs.delayed_by = Cause.QUOTA
    return world.start()


def tuning(world: World) -> Run:
    run = world.start()
    world.jobs.delayed_by = Cause.QUOTA
    return world.end_prepare(run.run_id)


def evaluating(world: World) -> Run:
    run = world.end_prepare(world.start().run_id)
    world.jobs.delayed_by = Cause.QUOTA
    return world.end_tuning(run.run_id)


def fine_tuning(world: World) -> Run:
    world.plan = FULL_PLAN
    return evaluating(world)


def wait(world: World, length: timedelta) -> Run | None:
    """Time passes, and reconcile runs every five minutes."""
    run = None
    for _ in range(length // timedelta(seconds=FIVE_MINUTES)):
        world.clock.forward(FIVE_MINUTES)
        run = reconcile(world, world.plan, world.rule) or run
    return run


@pytest.fixture
def delayed(world: World) -> Run:
    """A run whose first job has just been refused."""
    return preparing(world)


@pytest.mark.parametrize("name", CAUSES)
def test_a_refusal_that_may_pass_delays_the_job(name: str) -> None:
    code, message = REFUSALS[name]

    found = refusal("prepare job", code, message)

    assert isinstance(found, JobDelayed)
    assert found.cause is CAUSES[name]
    assert str(found).startswith("The prepare job waits")
    assert code not in str(found)


@pytest.mark.parametrize(
    ("limit", "used", "wanted", "passes"),
    [(0, 0, 1, False), (0, 0, 4, False), (2, 0, 4, False), (4, 4, 1, True), (4, 1, 4, True), (100, 99, 2, True)],
)
def test_a_quota_smaller_than_the_job_never_passes(limit: int, used: int, wanted: int, passes: bool) -> None:
    found = refusal(
        "tuning job", "ResourceLimitExceeded", quota(limit, used, wanted, "ml.m5.large for training job usage")
    )

    assert isinstance(found, JobDelayed if passes else JobRejected)
    assert f"'ml.m5.large for training job usage' is {limit}" in str(found)
    assert f"it needs {wanted}" in str(found)
    assert "https://console.aws.amazon.com/servicequotas/" in str(found)
    assert ("lower ParallelTrials" in str(found)) == (not passes and 0 < limit < wanted)


def test_a_limit_in_other_words_delays_the_job() -> None:
    assert isinstance(refusal("tuning job", "ResourceLimitExceeded", "limit '" * 100_000), JobDelayed)
    assert isinstance(refusal("tuning job", "ResourceLimitExceeded", ""), JobDelayed)


@pytest.mark.parametrize("code", ["ValidationException", "InternalFailure", "ResourceLimitExceeded"])
def test_a_message_of_any_length_is_cut(code: str) -> None:
    assert len(str(refusal("tuning job", code, "x" * 1_000_000))) < 1200


def test_a_quota_without_its_use_ends_the_run_only_if_it_is_0() -> None:
    for limit, kind in ((0, JobRejected), (3, JobDelayed), ("1,000", JobDelayed)):
        words = f"The account-level service limit 'ml.g4dn.xlarge for training job usage' is {limit} Instances"
        assert isinstance(refusal("tuning job", "ResourceLimitExceeded", words), kind)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Requested image seedbed-trainer:latest not found."),
        ("ResourceNotFound", "Requested image seedbed-trainer:latest not found."),
        (
            "ResourceLimitExceeded",
            "MaxNumberOfTrainingJobs 20 and the 490 training jobs of the parents are more than 500.",
        ),
    ],
)
def test_an_invalid_request_and_too_many_jobs_of_parents_are_rejected(code: str, message: str) -> None:
    assert isinstance(refusal("tuning job", code, message), JobRejected)


@pytest.mark.parametrize("stage", [preparing, tuning, fine_tuning, evaluating])
def test_an_open_run_says_what_it_waits_for_until_its_job_starts(world: World, stage: Callable[[World], Run]) -> None:
    run = stage(world)

    assert summary(run).notice == one_run(run.run_id, world).notice == "The job waits for a quota: it is refused."
    assert world.runs.open_run() == run
    world.jobs.delayed_by = None
    started = wait(world, timedelta(minutes=5))

    assert started is not None
    assert (started.state, started.waits_for, started.delay) == (run.state, None, None)
    assert run.job in world.jobs.created


def test_people_are_told_once_and_not_at_the_first_refusal(world: World, delayed: Run) -> None:
    wait(world, NOTICE_AFTER - timedelta(minutes=5))
    assert world.announcer.sent == []

    wait(world, timedelta(hours=2))

    (message,) = world.announcer.sent
    assert message.subject == "Seedbed: the run waits: The job waits for a quota: it is refused."
    assert delayed.run_id in message.body
    assert "for 6 hours since 2026-03-20 09:" in message.body


def test_people_are_told_of_another_cause_too(world: World, delayed: Run) -> None:
    wait(world, timedelta(minutes=30))
    world.jobs.delayed_by = Cause.CAPACITY
    wait(world, timedelta(minutes=30))

    assert len(world.announcer.sent) == 2
    assert world.runs.get(delayed.run_id).state is RunState.PREPARING


@pytest.mark.parametrize("cause", Cause)
def test_a_run_that_waited_too_long_fails_and_frees_the_next(world: World, cause: Cause) -> None:
    world.jobs.delayed_by = cause
    run = world.start()

    wait(world, PATIENCE[cause] - timedelta(minutes=5))
    assert world.runs.open_run() is not None
    wait(world, timedelta(minutes=10))

    ended = world.runs.get(run.run_id)
    assert ended.state is RunState.FAILED
    hours = "1 hour" if cause is Cause.PERMISSION else "6 hours"
    assert ended.reason == f"The job waits for a {cause}: it is refused. It waited for {hours}."
    world.jobs.delayed_by = None
    world.upload_dataset(batch="second")
    assert [later.state for later in world.settle()] == [RunState.PREPARING]


def test_causes_that_alternate_do_not_make_a_run_wait_longer(world: World, delayed: Run) -> None:
    for number in range(80):
        world.jobs.delayed_by = (Cause.CAPACITY, Cause.QUOTA)[number % 2]
        wait(world, timedelta(minutes=5))

    assert world.runs.get(delayed.run_id).state is RunState.FAILED
    assert len(world.announcer.sent) == 2


def test_fine_tuning_that_waited_too_long_leaves_the_best_head(world: World) -> None:
    run = fine_tuning(world)
    assert (run.state, run.job in world.jobs.jobs) == (RunState.FINE_TUNING, False)

    world.clock.forward(PATIENCE[Cause.QUOTA].total_seconds())
    run = world.advance(run.run_id)

    assert (run.state, run.best_trial) == (RunState.EVALUATING, run.best_head)
    assert (
        run.notice
        == "The job waits for a quota: it is refused. It waited for 6 hours. The best head is the run's model."
    )


def test_a_run_that_waits_can_be_stopped(world: World, delayed: Run) -> None:
    stop_run(delayed.run_id, world)

    assert world.advance(delayed.run_id).state is RunState.STOPPED


def test_a_run_says_that_its_trials_find_no_instance(world: World) -> None:
    run = world.end_prepare(world.start().run_id)
    trial = Trial(f"{run.run_id}-001-0a1b2c3d", "InProgress", {}, reason="Insufficient capacity error, retrying!")
    world.jobs.add_trial(run.run_id, trial)

    waiting = wait(world, timedelta(minutes=5))
    world.jobs.add_trial(run.run_id, replace(trial, reason=None))
    running = wait(world, timedelta(minutes=5))

    assert waiting is not None
    assert (waiting.state, summary(waiting).notice) == (RunState.TUNING, trial.reason)
    assert running == run
    assert world.announcer.sent == []


def test_a_clock_that_was_ahead_does_not_make_a_run_wait_longer(world: World) -> None:
    world.jobs.delayed_by = Cause.PERMISSION
    world.clock.forward(24 * 3600)
    run = world.start()
    world.clock.forward(-24 * 3600)

    wait(world, PATIENCE[Cause.PERMISSION] + timedelta(minutes=5))

    assert world.runs.get(run.run_id).state is RunState.FAILED


def test_a_refused_warm_start_starts_without_it(world: World) -> None:
    first = world.start()
    world.complete(first.run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    assert second.warm_start_from == (first.run_id,)
    world.jobs.refuses_warm_starts = True

    cold = world.end_prepare(second.run_id)

    assert world.jobs.tuned[second.run_id].warm_start_from == ()
    assert cold.warm_start_from == ()
    assert cold.notice is not None
    assert cold.notice.startswith("SageMaker refused the tuning job: a parent does not fit. The search starts without")
    assert world.end_tuning(second.run_id).state is RunState.EVALUATING
    assert world.end_evaluation(second.run_id, 0.9, champion=0.8).notice == cold.notice


def test_without_a_quota_of_spot_instances_the_training_jobs_run_on_demand(world: World) -> None:
    world.plan = replace(FULL_PLAN, spot=True)
    world.jobs.refuses_spot = True
    run = world.start()

    tuned = world.end_prepare(run.run_id)
    world.end_tuning(run.run_id)

    assert [started.plan.spot for started in (world.jobs.tuned[run.run_id], world.jobs.fine_tuned[run.run_id])] == [
        False,
        False,
    ]
    assert tuned.notice is not None
    assert "'ml.m5.large for spot training job usage' is 0" in tuned.notice
    assert tuned.notice.endswith("The training jobs run on demand instead.")
    assert world.runs.get(run.run_id).notice == tuned.notice
    assert not tuned.plan.spot


def test_a_quota_of_spot_instances_for_the_networks_alone_leaves_the_heads_on_spot(world: World) -> None:
    world.plan = replace(FULL_PLAN, spot=True)
    run = world.end_prepare(world.start().run_id)
    world.jobs.refuses_spot = True

    world.end_tuning(run.run_id)

    assert world.jobs.tuned[run.run_id].plan.spot
    assert not world.jobs.fine_tuned[run.run_id].plan.spot
    assert world.end_fine_tuning(run.run_id, 0.95).state is RunState.EVALUATING


def test_any_other_refusal_of_spot_jobs_ends_the_run(world: World) -> None:
    world.plan = replace(world.plan, spot=True)
    run = world.start()
    world.jobs.rejected[run.run_id] = "the role does not exist."

    assert world.end_prepare(run.run_id).state is RunState.FAILED


def second_fine_tuning(world: World) -> Run:
    """A second run that is about to train networks."""
    world.plan = FULL_PLAN
    first = world.start()
    world.complete(first.run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    return world.end_prepare(second.run_id)


def test_networks_learn_from_those_of_earlier_runs(world: World) -> None:
    second = second_fine_tuning(world)
    (first,) = second.warm_start_from

    world.end_tuning(second.run_id)

    assert world.jobs.fine_tuned_after == {first: (), second.run_id: (layout.fine_tuning_job(first),)}


def test_networks_do_not_learn_from_another_search(world: World) -> None:
    second = second_fine_tuning(world)
    (first,) = second.warm_start_from
    other = replace(world.runs.get(first), plan=replace(FULL_PLAN, fine_tuning=None))
    world.runs.set_champion(other)

    world.end_tuning(second.run_id)

    assert world.jobs.fine_tuned_after[second.run_id] == ()


def test_a_refused_warm_start_of_networks_starts_without_it(world: World) -> None:
    second = second_fine_tuning(world)
    world.jobs.refuses_warm_starts = True

    run = world.end_tuning(second.run_id)

    assert run.state is RunState.FINE_TUNING
    assert world.jobs.fine_tuned_after[second.run_id] == ()
    assert run.notice is not None
    assert run.notice.startswith("SageMaker refused the fine-tuning job: a parent does not fit. The search starts")


def test_a_refused_warm_start_and_spot_instances_start_without_both(world: World) -> None:
    world.plan = replace(world.plan, spot=True)
    world.complete(world.start().run_id)
    world.upload_dataset(batch="second")
    (second,) = world.settle()
    world.jobs.refuses_warm_starts = world.jobs.refuses_spot = True

    world.end_prepare(second.run_id)

    tuned = world.jobs.tuned[second.run_id]
    assert (tuned.plan.spot, tuned.warm_start_from) == (False, ())
    assert world.end_tuning(second.run_id).state is RunState.EVALUATING


def test_the_mark_of_a_delay_is_in_the_runs_folder() -> None:
    assert layout.notified_of_delay("sb-0123456789abcdef-1", "Tuning", "quota") == (
        "runs/sb-0123456789abcdef-1/notices/Tuning-quota.json"
    )
