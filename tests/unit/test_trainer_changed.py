"""The trainer is changed while a run is in progress: the run says so and begins again."""

from dataclasses import replace

from job_manager.domain import layout
from job_manager.domain.job import JobStatus
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.reconcile import reconcile
from job_manager.steps.stages.endings import AFTER_ANOTHER_TRAINER
from job_manager.steps.stop_run import stop_run
from tests.fakes.world import FULL_PLAN, World

REFUSED = "The pack was made by another version of the trainer: the run has to begin again."
SAID = "The trainer was changed while the run was in progress. It begins again."


def trials_fail(world: World, tuning_job: str, reason: str = REFUSED) -> None:
    """The tuning job's trials fail; as on AWS, the tuning job itself does not say why."""
    name = f"{tuning_job}-001-0a1b2c3d"
    trial = Trial(name, "Failed", {}, reason=f"AlgorithmError: {reason}, exit code: 1", stage=layout.stage_of(name))
    world.jobs.add_trial(tuning_job, trial)
    world.jobs.end(tuning_job, JobStatus.FAILED, "No training job succeeded.")


def in_tuning(world: World) -> str:
    run_id = world.start().run_id
    world.end_prepare(run_id)
    return run_id


def in_evaluation(world: World) -> str:
    run_id = in_tuning(world)
    world.end_tuning(run_id)
    return run_id


def assert_begins_again(world: World, run: Run) -> Run:
    """Check that the run failed with its reason and that its images get another run, which is returned."""
    assert (run.state, run.reason, run.begins_again) == (RunState.FAILED, SAID, True)
    [again] = world.settle()
    assert (again.state, again.attempt) == (RunState.PREPARING, run.attempt + 1)
    assert world.runs.pending() is None
    return again


def test_a_run_begins_again_if_its_trials_meet_another_trainer(world: World) -> None:
    run_id = in_tuning(world)
    trials_fail(world, run_id)

    again = assert_begins_again(world, world.advance(run_id))

    assert world.complete(again.run_id).state is RunState.COMPLETED
    assert world.settle() == []


def test_a_run_begins_again_if_its_evaluation_meets_another_trainer(world: World) -> None:
    run_id = in_evaluation(world)
    world.fail(layout.evaluation_job(run_id), REFUSED)

    assert_begins_again(world, world.advance(run_id))


def test_a_run_begins_again_if_its_fine_tuning_meets_another_trainer(world: World) -> None:
    world.plan = FULL_PLAN
    run_id = in_evaluation(world)
    trials_fail(world, layout.fine_tuning_job(run_id))

    assert_begins_again(world, world.advance(run_id))


def test_fine_tuning_that_fails_otherwise_falls_back_to_the_best_head(world: World) -> None:
    world.plan = FULL_PLAN
    run_id = in_evaluation(world)
    trials_fail(world, layout.fine_tuning_job(run_id), "The loss is not a number.")

    assert world.advance(run_id).state is RunState.EVALUATING


def test_duplicate_events_make_a_run_begin_again_only_once(world: World) -> None:
    run_id = in_tuning(world)
    trials_fail(world, run_id)
    for _ in range(3):
        run = world.advance(run_id)

    again = assert_begins_again(world, run)
    world.advance(run_id)
    world.complete(again.run_id)

    assert world.settle() == []


def test_reconcile_makes_up_for_a_lost_wake_up_of_the_next_attempt(world: World) -> None:
    run_id = in_tuning(world)
    trials_fail(world, run_id)
    run = world.advance(run_id)
    world.timer.wakes.clear()
    pending = world.runs.pending()
    assert pending is not None
    world.runs.clear_pending(pending)

    reconcile(world, world.plan, world.rule)

    assert_begins_again(world, run)


def test_a_run_stopped_by_a_person_does_not_begin_again(world: World) -> None:
    run_id = in_evaluation(world)
    stop_run(run_id, world)
    world.fail(layout.evaluation_job(run_id), REFUSED)

    assert not world.advance(run_id).begins_again
    assert world.settle() == []


def test_the_next_attempt_is_refused_if_it_exceeds_the_budget(world: World) -> None:
    run_id = in_tuning(world)
    trials_fail(world, run_id)
    world.advance(run_id)
    world.plan = replace(world.plan, budget=0.0)

    [refused] = world.settle()

    assert refused.state is RunState.REFUSED
    assert world.settle() == []


def test_a_run_fails_for_good_after_its_last_attempt(world: World) -> None:
    world.upload_dataset()
    for _ in range(AFTER_ANOTHER_TRAINER + 1):
        [run] = world.settle()
        world.end_prepare(run.run_id)
        trials_fail(world, run.run_id)
        run = world.advance(run.run_id)

    assert not run.begins_again
    assert run.reason is not None
    assert run.reason.endswith("It has begun again 4 times, and does not do so by itself any more.")
    assert world.settle() == []
