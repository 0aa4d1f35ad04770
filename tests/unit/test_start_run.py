"""A settled bucket gets one run, unless it is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from job_manager.domain.cost import upper_bound
from job_manager.domain.refusal import PARALLEL_QUOTA
from job_manager.domain.run import RunState
from job_manager.steps.reconcile import reconcile
from job_manager.steps.start_run import start_run
from tests.contract.template import Template
from tests.fakes.world import FULL_PLAN, World, a_run


def test_a_settled_dataset_gets_a_run_and_its_prepare_job(world: World) -> None:
    world.upload_dataset()

    (run,) = world.settle()

    assert run.state is RunState.PREPARING
    assert world.runs.open_run() == run
    assert world.jobs.created == [f"{run.run_id}-prepare"]
    assert len(world.bucket.snapshots[run.run_id][1].images) == 12
    assert world.runs.pending() is None


def test_a_wake_up_with_nothing_pending_changes_nothing(world: World) -> None:
    assert start_run(world.clock.now(), world, world.plan, world.rule) is None


def test_an_early_wake_up_for_the_last_change_arms_the_timer_again(world: World) -> None:
    world.rule = replace(world.rule, quiet=timedelta(minutes=20))
    world.upload_dataset()

    assert world.wake() is None
    assert world.wake() is not None
    assert world.timer.wakes == []


def test_a_wake_up_for_an_earlier_change_is_not_repeated(world: World) -> None:
    world.upload_dataset()
    world.clock.forward(60)
    world.upload("seedlings/Maize/late.png")

    assert world.wake() is None
    assert len(world.timer.wakes) == 1
    assert world.wake() is not None


def test_continuous_uploads_start_a_run_after_the_maximum_wait(world: World) -> None:
    began = world.clock.now()
    world.upload_dataset()
    for i in range(31):
        while world.timer.wakes and min(world.timer.wakes)[0] <= world.clock.now():
            if world.wake():
                assert world.clock.now() - began == timedelta(minutes=30)
                return
        world.clock.forward(60)
        world.upload(f"seedlings/Maize/steady-{i}.png")
    pytest.fail("no run started")


def test_the_same_version_starts_no_second_run(world: World) -> None:
    run = world.start()
    world.complete(run.run_id)

    world.upload_dataset()

    assert world.settle() == []
    assert world.runs.pending() is None


def test_deleting_an_image_makes_another_dataset_version(world: World) -> None:
    first = world.start()
    world.complete(first.run_id)

    del world.bucket.contents["seedlings/Maize/plot-1.png"]
    world.upload()

    (second,) = world.settle()
    assert second.run_id != first.run_id


def test_a_dataset_that_is_too_small_is_refused_without_cost(world: World) -> None:
    world.upload_dataset(5)
    world.upload("notes.txt")

    (run,) = world.settle()

    assert run.state is RunState.REFUSED
    assert (
        run.reason == "There are too few images: 5 of the 8 that a run needs. Upload 3 more under seedlings/<label>/."
    )
    assert run.dataset is not None
    assert [refused.file for refused in run.dataset.refused] == ["notes.txt"]
    assert world.runs.open_run() is None
    assert world.jobs.created == []


def test_a_refused_dataset_that_grows_gets_its_run(world: World) -> None:
    world.upload_dataset(5)
    world.settle()

    world.upload_dataset(12)

    assert [run.state for run in world.settle()] == [RunState.PREPARING]


def test_a_refused_dataset_is_not_refused_again_while_nothing_changes(world: World) -> None:
    world.upload_dataset(5)
    world.settle()

    world.upload()

    assert world.settle() == []


def test_a_run_above_its_budget_is_refused_until_the_budget_is_raised(world: World) -> None:
    world.plan = replace(world.plan, budget=0.1)
    world.upload_dataset()
    (refused,) = world.settle()

    world.plan = replace(world.plan, budget=10.0)
    world.upload()
    (run,) = world.settle()

    assert refused.reason is not None
    assert "more than its budget of $0.10" in refused.reason
    assert refused.run_id.endswith("-1")
    assert run.run_id == refused.run_id.removesuffix("1") + "2"
    assert run.state is RunState.PREPARING


def test_an_emptied_bucket_gets_no_run(world: World) -> None:
    world.upload("seedlings/Maize/1.png")
    world.bucket.contents.clear()

    assert world.settle() == []
    assert world.runs.pending() is None


def test_no_second_run_starts_while_one_is_open(world: World) -> None:
    run = world.start()
    world.upload("seedlings/Maize/more.png")

    assert world.settle() == []
    assert world.runs.pending() is not None
    assert list(world.bucket.kept_runs()) == [run]


def test_a_change_stays_pending_if_another_function_started_first(world: World) -> None:
    world.upload_dataset()
    seen = world.clock.now()
    world.clock.forward(600)
    world.bucket.while_listing = lambda: world.runs.create(a_run())

    assert start_run(seen, world, world.plan, world.rule) is None
    assert world.runs.pending() is not None
    assert world.jobs.created == []


def test_an_upload_during_the_listing_gets_its_own_run(world: World) -> None:
    world.upload_dataset()
    world.bucket.while_listing = lambda: world.upload("seedlings/Maize/late.png")

    first = world.wake()
    assert first is not None
    assert world.runs.pending() is not None
    world.complete(first.run_id)

    (second,) = world.settle()
    assert second.run_id != first.run_id


def test_advance_run_starts_the_job_after_a_crash_before_it(world: World) -> None:
    run = world.start()
    world.jobs.jobs.clear()

    world.advance(run.run_id)

    assert f"{run.run_id}-prepare" in world.jobs.jobs


def test_a_run_above_the_monthly_budget_is_refused_until_next_month(world: World) -> None:
    spent = world.complete(world.start().run_id).cost_usd
    world.plan = replace(world.plan, monthly_budget=upper_bound(world.plan) + spent - 0.001)
    world.upload_dataset(batch="second")
    (refused,) = world.settle()

    assert refused.state is RunState.REFUSED
    assert f"This month's runs have cost ${spent:.2f}" in (refused.reason or "")
    assert world.jobs.created[-1].startswith(world.runs.recent(2)[1].run_id)
    reconcile(world, world.plan, world.rule)
    assert world.timer.wakes == []

    world.clock.forward(31 * 24 * 3600)
    reconcile(world, world.plan, world.rule)
    (run,) = world.settle()

    assert run.state is RunState.PREPARING


def test_a_run_that_uses_up_the_monthly_budget_is_accepted(world: World) -> None:
    world.plan = replace(world.plan, monthly_budget=upper_bound(world.plan))

    assert world.start().state is RunState.PREPARING


def test_too_few_images_are_reported_before_the_budget(world: World) -> None:
    world.plan = replace(world.plan, monthly_budget=0.0)
    world.upload_dataset(images=2)
    (run,) = world.settle()

    assert "too few" in (run.reason or "")


@pytest.mark.parametrize(
    ("heads", "fine_tuned", "said"),
    [((4, 20), (2, 2), 4), ((10, 20), (2, 2), 10), ((11, 20), (2, 2), 11), ((30, 12), (20, 25), 20)],
)
def test_a_run_says_if_it_needs_more_than_the_default_of_parallel_jobs(
    world: World, heads: tuple[int, int], fine_tuned: tuple[int, int], said: int
) -> None:
    assert FULL_PLAN.fine_tuning is not None
    stage = replace(FULL_PLAN.fine_tuning, parallel_trials=fine_tuned[0], trials=fine_tuned[1])
    world.plan = replace(FULL_PLAN, parallel_trials=heads[0], trials=heads[1], fine_tuning=stage, budget=1000.0)

    notice = world.start().notice

    assert (notice is not None) == (said > 10)
    assert notice is None or notice.startswith(f"It runs up to {said} training jobs at a time, and SageMaker allows")


@pytest.mark.parametrize("name", ["ParallelTrials", "FineTuneParallelTrials"])
def test_the_templates_parameters_name_the_default_of_parallel_jobs(name: str) -> None:
    parameter = Template().parameters[name]

    assert parameter["Default"] <= PARALLEL_QUOTA
    assert f"More than {PARALLEL_QUOTA} need a higher quota" in parameter["Description"]
