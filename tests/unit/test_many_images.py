"""A dataset of many images: prepare on several instances, heads tuned on a sample and trained once more on all."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from job_manager.domain import layout
from job_manager.domain.cost import upper_bound
from job_manager.domain.costs.assumptions import START_BILLED
from job_manager.domain.costs.expectation import expectation
from job_manager.domain.costs.prepare_time import check_prepare_time, prepare_seconds
from job_manager.domain.dataset import Snapshot, StoredObject
from job_manager.domain.errors import Cause, RunRefused
from job_manager.domain.job import JobStatus
from job_manager.domain.measurement import Metric
from job_manager.domain.plan import Machine, Plan
from job_manager.domain.reason import NO_SPOT_INSTANCE
from job_manager.domain.results.trial import Head, Heads
from job_manager.domain.run import Run, RunState
from job_manager.domain.scale import for_images, views_kept
from job_manager.domain.volumes import Amount, merge_gib, prepare_gib
from job_manager.steps.reconcile import reconcile
from job_manager.steps.retry_run import is_repeated
from job_manager.steps.stop_run import stop_run
from tests.fakes.world import FULL_PLAN, LABELS, PLAN, RULE, World

MANY = replace(PLAN, prepare_instances=4)
ALL_IMAGES = {label: {"train": 4, "validation": 1, "test": 1} for label in LABELS}


def begun(world: World, **changes: Any) -> Run:
    """A run whose plan has these values: a test's dataset is too small to get them."""
    run = world.start()
    changed = replace(run, plan=replace(run.plan, **changes))
    world.runs.move(changed, came_from=run.state)
    return changed


@pytest.mark.parametrize(
    ("images", "at_most", "instances"),
    [(1, 20, 1), (10_000, 20, 1), (10_001, 20, 2), (95_000, 20, 10), (95_000, 4, 4), (10**7, 20, 20), (0, 20, 1)],
)
def test_prepare_gets_an_instance_for_each_ten_thousand_images(images: int, at_most: int, instances: int) -> None:
    plan = for_images(replace(PLAN, prepare_instances=at_most), images)

    assert plan.prepare_instances == instances
    assert for_images(plan, images) == plan


@pytest.mark.parametrize(("images", "sample"), [(28_571, 0), (28_572, 20_000)])
def test_heads_see_a_sample_of_more_training_images_than_it_has(images: int, sample: int) -> None:
    assert for_images(replace(PLAN, head_sample=20_000), images).head_sample == sample


def test_the_number_of_instances_is_not_part_of_a_datasets_version() -> None:
    assert MANY.fingerprint() == PLAN.fingerprint()
    assert not MANY.does_the_same(PLAN)


def test_the_sample_is_part_of_the_version_where_it_applies() -> None:
    snapshot = Snapshot(tuple(StoredObject(f"seedlings/Maize/{n}.png", "e", 1) for n in range(12)), ())

    def version(sample: int) -> str:
        return snapshot.version(for_images(replace(PLAN, head_sample=sample), len(snapshot.images)))

    assert version(20_000) == version(9) == snapshot.version(PLAN)
    assert len({version(9), version(8), version(7)}) == 3


def test_plans_of_older_runs_stay_readable() -> None:
    older = msgspec.to_builtins(PLAN)
    del older["prepare_instances"], older["head_sample"]

    assert msgspec.convert(older, Plan) == PLAN


def test_a_small_dataset_gets_the_plan_of_before(world: World) -> None:
    world.plan = replace(PLAN, prepare_instances=20, head_sample=20_000)
    run = world.start()

    assert run.plan == PLAN
    assert world.complete(run.run_id).state is RunState.COMPLETED
    assert world.jobs.created == [f"{run.run_id}-prepare", run.run_id, f"{run.run_id}-evaluate"]


def test_several_instances_are_followed_by_a_merge(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id

    merging = world.end_prepare(run_id)
    assert (merging.state, merging.dataset, merging.processing_seconds) == (RunState.MERGING, None, 60)
    assert world.jobs.created == [f"{run_id}-prepare", f"{run_id}-merge"]

    tuning = world.end_merge(run_id)
    assert (tuning.state, tuning.processing_seconds) == (RunState.TUNING, 70)
    assert tuning.dataset
    assert tuning.dataset.labels.keys() == set(LABELS)
    assert [one.value for _, one in world.metrics.recorded if one.metric is Metric.IMAGES_USED] == [12]


def test_a_merge_that_fails_fails_its_run_and_costs_what_was_used(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id
    world.end_prepare(run_id)
    world.fail(layout.merge_job(run_id), "AlgorithmError: the disk is full")

    failed = world.advance(run_id)
    assert (failed.state, failed.reason) == (RunState.FAILED, "AlgorithmError: the disk is full")
    assert failed.processing_seconds == 60 + 30
    assert failed.dataset


def test_an_instance_that_fails_has_no_merge(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id
    world.fail(layout.prepare_job(run_id), "killed")

    assert world.advance(run_id).state is RunState.FAILED
    assert world.jobs.created == [f"{run_id}-prepare"]


def test_a_run_stopped_while_it_merges_stops_the_merge(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id
    world.end_prepare(run_id)
    stop_run(run_id, world)

    assert world.jobs.stopped == [f"{run_id}-merge"]
    world.fail(layout.merge_job(run_id), status=JobStatus.STOPPED)
    assert world.advance(run_id).state is RunState.STOPPED


def test_a_run_stopped_between_prepare_and_merge_pays_for_prepare(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id
    stop_run(run_id, world)

    stopped = world.end_prepare(run_id)
    assert (stopped.state, stopped.processing_seconds) == (RunState.STOPPED, 60)
    assert f"{run_id}-merge" not in world.jobs.jobs


def test_lost_events_of_prepare_and_merge_are_made_up_for(world: World) -> None:
    run_id = begun(world, prepare_instances=4).run_id
    world.put_report(run_id)
    reconcile(world, world.plan, RULE)
    world.jobs.end(layout.merge_job(run_id), seconds=10)

    advanced = reconcile(world, world.plan, RULE)
    assert advanced
    assert advanced.state is RunState.TUNING


def test_a_failed_run_is_repeated_if_it_may_have_more_instances(world: World) -> None:
    run = begun(world, prepare_instances=2)
    world.fail(layout.prepare_job(run.run_id), "out of memory")
    failed = replace(world.advance(run.run_id), given=Amount(50_000, 10**9))

    assert is_repeated(failed, world, replace(PLAN, prepare_instances=5))
    assert not is_repeated(failed, world, replace(PLAN, prepare_instances=2))
    assert not is_repeated(replace(failed, given=Amount(20_000, 10**9)), world, replace(PLAN, prepare_instances=5))


def tuned_on_sample(world: World, **changes: Any) -> Run:
    """A run whose heads were tuned on 5 of 8 training images."""
    run = begun(world, head_sample=5, **changes)
    world.end_prepare(run.run_id, labels=ALL_IMAGES)
    return world.end_tuning(run.run_id)


def test_heads_found_on_a_sample_are_trained_on_all_images(world: World) -> None:
    refitting = tuned_on_sample(world)
    name = layout.refit_job(refitting.run_id)

    assert refitting.state is RunState.REFITTING
    assert world.jobs.created[-1] == name
    assert world.jobs.tuned[refitting.run_id].samples
    assert refitting.best_head
    assert refitting.best_head.name == f"{refitting.run_id}-002-0a1b2c3d"

    evaluating = world.end_refit(refitting.run_id)
    assert evaluating.state is RunState.EVALUATING
    assert evaluating.best_trial == evaluating.best_head
    assert evaluating.best_trial
    assert (evaluating.best_trial.name, evaluating.training_seconds) == (name, 3 * 100 + 300)
    assert world.jobs.evaluated[refitting.run_id]["model"].endswith(f"{name}.tar.gz")
    assert name in [trial.name for trial in world.runs.trials(refitting.run_id)]
    assert world.end_evaluation(refitting.run_id).state is RunState.COMPLETED


def test_fine_tuning_starts_from_the_head_of_all_images(world: World) -> None:
    run = tuned_on_sample(world, fine_tuning=FULL_PLAN.fine_tuning)
    fine_tuning = world.end_refit(run.run_id)

    head = world.jobs.fine_tuned[run.run_id].best_head
    assert fine_tuning.state is RunState.FINE_TUNING
    assert head
    assert head.model_uri
    assert head.model_uri.endswith(f"{layout.refit_job(run.run_id)}.tar.gz")


def test_a_dataset_smaller_than_the_sample_is_not_trained_again(world: World) -> None:
    run = begun(world, head_sample=8)
    world.end_prepare(run.run_id, labels=ALL_IMAGES)

    assert world.end_tuning(run.run_id).state is RunState.EVALUATING
    assert not world.jobs.tuned[run.run_id].samples


@pytest.mark.parametrize(
    ("status", "reason"), [(JobStatus.FAILED, "AlgorithmError: NaN"), (JobStatus.STOPPED, f"{NO_SPOT_INSTANCE}.")]
)
def test_a_training_on_all_images_that_fails_leaves_the_head_of_the_sample(
    world: World, status: JobStatus, reason: str
) -> None:
    refitting = tuned_on_sample(world)

    evaluating = world.end_refit(refitting.run_id, status, reason=reason)
    assert (evaluating.state, evaluating.best_trial) == (RunState.EVALUATING, refitting.best_head)
    assert evaluating.notice == f"{reason.rstrip('.')}. The best head is the one trained on 5 images."
    assert evaluating.training_seconds == 600


def test_a_training_on_all_images_that_is_refused_leaves_the_head_of_the_sample(world: World) -> None:
    run = begun(world, head_sample=5)
    world.end_prepare(run.run_id, labels=ALL_IMAGES)
    world.jobs.rejected[layout.refit_job(run.run_id)] = "no such image"

    evaluating = world.end_tuning(run.run_id)
    assert (evaluating.state, world.jobs.created[-1]) == (RunState.EVALUATING, f"{run.run_id}-evaluate")
    assert evaluating.notice
    assert "The best head is the one trained on 5 images." in evaluating.notice


def test_a_training_on_all_images_that_is_delayed_too_long_leaves_the_head_of_the_sample(world: World) -> None:
    run = begun(world, head_sample=5)
    world.end_prepare(run.run_id, labels=ALL_IMAGES)
    world.jobs.delayed_by = Cause.CAPACITY
    assert world.end_tuning(run.run_id).state is RunState.REFITTING

    world.clock.forward(7 * 3600)
    kept = world.advance(run.run_id)
    assert kept.best_trial == kept.best_head
    assert kept.state is RunState.EVALUATING


def test_a_training_on_all_images_stopped_by_its_time_limit_counts(world: World) -> None:
    refitting = tuned_on_sample(world)
    world.clock.forward(PLAN.trial_time_limit)

    evaluating = world.end_refit(refitting.run_id, JobStatus.STOPPED, objective=0.91)
    assert evaluating.state is RunState.EVALUATING
    assert evaluating.best_trial
    assert evaluating.best_trial.name == layout.refit_job(refitting.run_id)
    assert evaluating.notice
    assert "TrialTimeLimitSeconds" in evaluating.notice


def test_a_training_on_all_images_that_somebody_stops_stops_the_run(world: World) -> None:
    refitting = tuned_on_sample(world)

    stopped = world.end_refit(refitting.run_id, JobStatus.STOPPED, objective=0.91)
    assert (stopped.state, stopped.training_seconds) == (RunState.STOPPED, 600)


def test_a_person_stops_a_training_on_all_images(world: World) -> None:
    refitting = tuned_on_sample(world)
    stop_run(refitting.run_id, world)

    assert world.jobs.stopped == [layout.refit_job(refitting.run_id)]
    assert world.end_refit(refitting.run_id, JobStatus.STOPPED).state is RunState.STOPPED


def test_a_training_on_all_images_is_recorded_while_it_runs(world: World) -> None:
    refitting = tuned_on_sample(world)
    reconcile(world, world.plan, RULE)

    (recorded,) = [trial for trial in world.runs.trials(refitting.run_id) if trial.stage == "refit"]
    assert recorded.status == "InProgress"


def test_without_a_quota_of_spot_instances_all_images_are_trained_on_demand(world: World) -> None:
    run = begun(world, head_sample=5, spot=True)
    world.end_prepare(run.run_id, labels=ALL_IMAGES)
    world.jobs.refuses_spot = True
    refitting = world.end_tuning(run.run_id)

    assert (refitting.state, refitting.plan.spot) == (RunState.REFITTING, False)
    assert not world.jobs.refitted[run.run_id].plan.spot


def test_the_mean_of_several_heads_is_trained_again(world: World) -> None:
    run = tuned_on_sample(world, heads_per_job=2)
    heads = Heads(2, (Head({"seed": "1"}, 0.9), Head({"seed": "2"}, 0.94)))
    world.bucket.put(layout.heads(run.run_id, layout.refit_job(run.run_id)), msgspec.json.encode(heads))

    evaluating = world.end_refit(run.run_id)
    assert evaluating.best_trial
    assert evaluating.best_trial.best_head == 2


def test_the_bound_counts_every_instance_and_the_training_on_all_images() -> None:
    hour = replace(PLAN, training=Machine("ml.m5.large", 1.0), processing=Machine("ml.m5.xlarge", 1.0))

    assert upper_bound(replace(hour, prepare_instances=4)) == pytest.approx(upper_bound(hour) + 3 + 1)
    assert upper_bound(replace(hour, head_sample=5)) == pytest.approx(upper_bound(hour) + 900 / 3600)


def test_the_expectation_counts_merge_and_the_training_on_all_images() -> None:
    plan, images = replace(PLAN, prepare_instances=20, head_sample=20_000, processing_time_limit=36_000), 100_000
    expected = {stage.stage: stage for stage in expectation(plan, images).stages}
    alone = {
        stage.stage: stage for stage in expectation(replace(plan, prepare_instances=1, head_sample=0), images).stages
    }

    assert list(expected) == ["prepare", "merge", "heads", "refit", "evaluate"]
    assert list(alone) == ["prepare", "heads", "evaluate"]
    assert (expected["prepare"].jobs, expected["merge"].jobs, expected["refit"].jobs) == (10, 1, 1)
    assert expected["prepare"].seconds.low < alone["prepare"].seconds.low
    assert expected["prepare"].usd.low > alone["prepare"].usd.low
    assert expected["heads"].usd.low < alone["heads"].usd.low
    assert sum(stage.bound_usd for stage in expected.values()) == pytest.approx(upper_bound(for_images(plan, images)))


def test_each_instance_gets_a_disk_for_its_share() -> None:
    given = Amount(100_000, 70 * 10**9)
    alone, shared = (prepare_gib(replace(PLAN, prepare_instances=count), given) for count in (1, 10))

    assert shared - 10 == pytest.approx((alone - 10) / 10, abs=1)
    assert merge_gib(given) < shared < alone
    assert merge_gib(None) == 30


def test_as_many_views_are_kept_as_fit_four_gib_of_features() -> None:
    assert [views_kept(replace(PLAN, views=5), images) for images in (4027, 100_000, 10**6, 0)] == [5, 2, 1, 5]


def test_a_prepare_that_can_not_end_in_time_is_refused_with_the_number_of_instances_that_can() -> None:
    plan = replace(PLAN, image_size=288, views=1, processing=Machine("ml.m5.large", 0.1))
    needed = prepare_seconds(plan, 1_000_000)
    assert needed > plan.processing_time_limit > prepare_seconds(plan, 400_000)

    check_prepare_time(plan, 400_000)
    with pytest.raises(RunRefused) as refusal:
        check_prepare_time(plan, 1_000_000)

    told = str(refusal.value)
    assert told.startswith("Prepare is expected to take at least ")
    assert told.endswith(
        " for 1,000,000 images, and its time limit is 60 minutes. Raise PrepareInstances to 2, or "
        "ProcessingTimeLimitSeconds."
    )
    check_prepare_time(replace(plan, prepare_instances=2), 1_000_000)


def test_a_prepare_that_no_number_of_instances_ends_in_time_is_refused_with_its_limit() -> None:
    plan = replace(PLAN, processing_time_limit=60)
    assert prepare_seconds(plan, 12) > START_BILLED.value.low

    with pytest.raises(RunRefused, match=r"Raise ProcessingTimeLimitSeconds, or choose a larger ProcessingInstanceT"):
        check_prepare_time(plan, 12)


def test_no_time_is_expected_of_a_machine_whose_speed_is_unknown() -> None:
    check_prepare_time(replace(PLAN, processing_time_limit=60, processing=Machine("ml.g5.xlarge", 1.0)), 10**7)


def test_a_run_whose_prepare_can_not_end_in_time_is_refused_before_anything_is_spent(world: World) -> None:
    world.plan = replace(PLAN, processing_time_limit=60)
    run = world.start()

    assert (run.state, world.jobs.created, run.cost_usd) == (RunState.REFUSED, [], 0)
    assert run.reason
    assert "ProcessingTimeLimitSeconds" in run.reason
    world.plan = PLAN
    reconcile(world, world.plan, RULE)
    assert [later.state for later in world.settle()] == [RunState.PREPARING]
