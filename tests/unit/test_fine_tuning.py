"""A full run also trains the whole network from the best head; if that brings nothing, it falls back to the head."""

from dataclasses import replace

import pytest

from job_manager.domain import layout
from job_manager.domain.job import JobStatus
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.advance_run import record_trial
from job_manager.steps.rebuild import rebuild
from job_manager.steps.reconcile import reconcile
from tests.fakes.runs import MemoryRuns
from tests.fakes.world import FULL_PLAN, World


@pytest.fixture
def full(world: World) -> Run:
    """A run that is about to be fine-tuned: its heads are at 0.7, 0.9 and 0.8."""
    world.plan = FULL_PLAN
    run = world.start()
    world.end_prepare(run.run_id)
    return world.end_tuning(run.run_id)


def model_of(trial: str) -> str:
    return f"s3://seedlings-in-memory/models/{trial}.tar.gz"


def fine(run: Run, number: int) -> str:
    return f"{run.run_id}-fine-{number:03}-0a1b2c3d"


def test_a_full_run_goes_from_tuning_through_fine_tuning_to_evaluation(world: World, full: Run) -> None:
    assert full.state is RunState.FINE_TUNING
    assert world.end_fine_tuning(full.run_id, 0.95, 0.94).state is RunState.EVALUATING
    assert world.end_evaluation(full.run_id).state is RunState.COMPLETED

    run_id = full.run_id
    assert world.jobs.created == [f"{run_id}-prepare", run_id, f"{run_id}-fine", f"{run_id}-evaluate"]
    assert [trial.stage for trial in world.runs.trials(run_id)] == ["tune"] * 3 + ["fine-tune"] * 2


def test_fine_tuning_starts_from_the_best_head(world: World, full: Run) -> None:
    head = world.jobs.fine_tuned[full.run_id].best_head

    assert head is not None
    assert head.objective == 0.9


def test_evaluate_gets_the_two_best_fine_tuned_models(world: World, full: Run) -> None:
    run = world.end_fine_tuning(full.run_id, 0.94, 0.96, 0.95)

    assert world.jobs.evaluated[full.run_id] == {"model": model_of(fine(run, 2)), "rival": model_of(fine(run, 3))}
    assert run.best_trial is not None
    assert run.best_head is not None
    assert (run.best_head.objective, run.best_trial.objective) == (0.9, 0.96)


def test_a_single_fine_tuned_model_has_no_rival(world: World, full: Run) -> None:
    world.end_fine_tuning(full.run_id, None, 0.96)

    assert world.jobs.evaluated[full.run_id] == {"model": model_of(fine(full, 2))}


def test_a_trial_stopped_by_its_time_limit_counts_with_its_best_model(world: World, full: Run) -> None:
    stopped = Trial(fine(full, 1), "Stopped", {}, 0.95, 1800, stage="fine-tune")
    world.jobs.add_trial(layout.fine_tuning_job(full.run_id), stopped)

    assert world.end_fine_tuning(full.run_id).best_trial == world.jobs.trial(stopped.name)


def test_a_trial_that_failed_does_not_count_despite_its_objective(world: World, full: Run) -> None:
    failed = Trial(fine(full, 9), "Failed", {}, 0.99, 600, stage="fine-tune")
    world.jobs.add_trial(layout.fine_tuning_job(full.run_id), failed)

    run = world.end_fine_tuning(full.run_id, 0.95)

    assert run.best_trial is not None
    assert (run.best_trial.objective, run.rival) == (0.95, None)


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_the_best_head_is_evaluated_when_no_fine_tuning_trial_finishes(
    world: World, full: Run, status: JobStatus
) -> None:
    run = world.end_fine_tuning(full.run_id, None, None, status=status, reason="All training jobs failed.")

    assert run.state is RunState.EVALUATING
    assert world.jobs.evaluated[full.run_id] == {"model": model_of(f"{full.run_id}-002-0a1b2c3d")}
    assert run.notice == ("No fine-tuning trial finished. All training jobs failed. The best head is the run's model.")
    assert run.fine_tuning_seconds == 200
    assert world.end_evaluation(full.run_id).won


def test_the_best_head_is_evaluated_when_sagemaker_refuses_fine_tuning(world: World) -> None:
    world.plan = FULL_PLAN
    run_id = world.start().run_id
    world.jobs.rejected[f"{run_id}-fine"] = "No such instance."
    world.end_prepare(run_id)

    run = world.end_tuning(run_id)

    assert run.state is RunState.EVALUATING
    assert run.notice == ("SageMaker refused the job: No such instance. The best head is the run's model.")
    assert list(world.jobs.evaluated[run_id]) == ["model"]


@pytest.mark.parametrize(("accuracy", "chosen"), [(0.899, "head"), (0.9, "fine-tuned"), (0.901, "fine-tuned")])
def test_the_model_with_the_higher_validation_accuracy_is_evaluated(
    world: World, full: Run, accuracy: float, chosen: str
) -> None:
    run = world.end_fine_tuning(full.run_id, accuracy, 0.5)

    assert run.best_trial is not None
    assert run.best_trial.stage == {"head": "tune", "fine-tuned": "fine-tune"}[chosen]
    assert (run.notice is None) is (chosen == "fine-tuned")
    assert ("rival" in world.jobs.evaluated[full.run_id]) is (chosen == "fine-tuned")


def test_a_stopped_fine_tuning_job_stops_the_run(world: World, full: Run) -> None:
    run = world.end_fine_tuning(full.run_id, 0.95, status=JobStatus.STOPPED)

    assert (run.state, run.reason) == (RunState.STOPPED, f"The job {full.run_id}-fine stopped and gave no reason.")
    assert run.fine_tuning_seconds == 100
    assert world.runs.open_run() is None


def test_the_cost_covers_both_tuning_stages(world: World, full: Run) -> None:
    world.end_fine_tuning(full.run_id, 0.94, 0.95)
    done = world.end_evaluation(full.run_id)

    assert (done.training_seconds, done.fine_tuning_seconds, done.processing_seconds) == (300, 200, 120)
    assert done.cost_usd == pytest.approx((300 * 0.1 + 200 * 0.4 + 120 * 0.2) / 3600)


def test_duplicate_events_start_and_change_nothing(world: World, full: Run) -> None:
    assert [world.advance(full.run_id) for _ in range(3)] == [full] * 3
    moved = world.end_fine_tuning(full.run_id, 0.94, 0.95)
    assert [world.advance(full.run_id) for _ in range(3)] == [moved] * 3

    assert len(world.jobs.created) == 4


def test_the_second_to_move_a_fine_tuned_run_gets_the_first_result(world: World, full: Run) -> None:
    def another_function() -> None:
        world.advance(full.run_id)

    world.runs.before_move = another_function

    assert world.end_fine_tuning(full.run_id, 0.94, 0.95).state is RunState.EVALUATING
    assert len(world.jobs.created) == 4


def test_a_full_run_gets_its_model_with_all_events_lost(world: World, full: Run) -> None:
    world.jobs.add_trial(f"{full.run_id}-fine", Trial(fine(full, 1), "InProgress", {}, stage="fine-tune"))
    reconcile(world, world.plan, world.rule)
    assert world.runs.trials(full.run_id)[-1].status == "InProgress"

    world.run_trials(f"{full.run_id}-fine", 0.95)
    world.jobs.end(f"{full.run_id}-fine")
    moved = reconcile(world, world.plan, world.rule)

    assert moved is not None
    assert moved.state is RunState.EVALUATING
    assert world.end_evaluation(full.run_id).state is RunState.COMPLETED


def test_a_fine_tuning_trial_is_recorded_when_its_event_arrives(world: World, full: Run) -> None:
    world.jobs.add_trial(f"{full.run_id}-fine", Trial(fine(full, 1), "InProgress", {}, stage="fine-tune"))

    record_trial(fine(full, 1), world)

    assert world.runs.trials(full.run_id)[-1].name == fine(full, 1)


@pytest.mark.parametrize("accuracies", [(0.95, 0.94), (0.1, 0.2), (None, None)])
def test_rebuild_restores_a_full_run(world: World, full: Run, accuracies: tuple[float]) -> None:
    world.end_fine_tuning(full.run_id, *accuracies)
    ended = world.end_evaluation(full.run_id)
    trials, jobs = world.runs.trials(full.run_id), world.jobs.created.copy()
    world.runs = MemoryRuns()

    assert rebuild(world, world.rule) == [ended]

    assert world.runs.trials(full.run_id) == trials
    assert world.jobs.created == jobs


def test_rebuild_restores_a_run_in_fine_tuning(world: World, full: Run) -> None:
    world.runs = MemoryRuns()

    assert rebuild(world, world.rule) == [full]
    assert world.runs.open_run() == full


def test_quick_and_full_plan_make_two_versions_of_a_dataset(world: World) -> None:
    quick = world.complete(world.start().run_id)
    world.plan = FULL_PLAN
    world.upload_dataset()

    (again,) = world.settle()

    assert again.run_id != quick.run_id
    assert again.warm_start_from == (quick.run_id,)


@pytest.mark.parametrize(
    "changes",
    [
        {"backbones": ("efficientnet-lite1",)},
        {"evaluation_views": 1},
        {"changed_images": 0},
        {"exports": ()},
        {"pretrained": "pretrained/"},
        {"fine_tuning": None},
        {"fine_tuning": replace(FULL_PLAN.fine_tuning, epochs=4)},  # type: ignore[type-var]
        {"fine_tuning": replace(FULL_PLAN.fine_tuning, image_size=96)},  # type: ignore[type-var]
        {"fine_tuning": replace(FULL_PLAN.fine_tuning, trials=1)},  # type: ignore[type-var]
    ],
)
def test_the_fingerprint_changes_with_settings_that_decide_the_outcome(changes: dict[str, object]) -> None:
    assert replace(FULL_PLAN, **changes).fingerprint() != FULL_PLAN.fingerprint()  # type: ignore[arg-type]


def test_the_fingerprint_ignores_parallel_trials_and_time_limits() -> None:
    assert FULL_PLAN.fine_tuning is not None
    elsewhere = replace(FULL_PLAN.fine_tuning, parallel_trials=1, trial_time_limit=60)

    assert replace(FULL_PLAN, fine_tuning=elsewhere).fingerprint() == FULL_PLAN.fingerprint()


def test_a_run_is_not_warm_started_from_other_backbones(world: World) -> None:
    world.complete(world.start().run_id)
    world.plan = replace(world.plan, backbones=("efficientnet-lite1",))
    world.upload_dataset(batch="second")

    (second,) = world.settle()

    assert second.warm_start_from == ()
