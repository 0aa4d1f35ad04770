"""With every event lost, reconcile still brings every run to its end."""

from dataclasses import replace

import pytest

from job_manager.domain import layout, listing
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.steps.notify import notify
from job_manager.steps.reconcile import reconcile
from tests.fakes.world import World


def look(world: World) -> Run | None:
    return reconcile(world, world.plan, world.rule)


def lose_all_events(world: World) -> None:
    world.timer.wakes.clear()


def test_a_dataset_gets_its_model_with_all_events_lost(world: World) -> None:
    source = World()
    expected = source.complete(source.start().run_id)
    for key, body in source.bucket.contents.items():
        if key.startswith("seedlings/"):
            world.bucket.put(key, body)

    look(world)
    (run,) = world.settle()
    world.bucket.contents.update(source.bucket.contents)
    for job in (layout.prepare_job(run.run_id), run.run_id, layout.evaluation_job(run.run_id)):
        going_on = look(world)
        assert going_on is not None
        assert not going_on.state.ended
        if job == run.run_id:
            world.run_trials(run.run_id, 0.7, 0.9, 0.8)
        world.jobs.end(job, seconds=60)

    ended = look(world)
    assert ended is not None
    assert ended.state is RunState.COMPLETED
    assert run.run_id == expected.run_id
    assert look(world) is None


def test_trials_with_lost_events_are_recorded_during_tuning(world: World) -> None:
    run = world.start()
    world.end_prepare(run.run_id)
    world.jobs.add_trial(run.run_id, Trial(f"{run.run_id}-001-0a1b2c3d", "InProgress", {}))

    look(world)

    assert [trial.status for trial in world.runs.trials(run.run_id)] == ["InProgress"]


def test_a_bucket_that_differs_from_its_last_run_arms_the_timer(world: World) -> None:
    world.complete(world.start().run_id)
    world.bucket.put("seedlings/Maize/unseen.png", b"its event was lost")

    look(world)

    assert [run.state for run in world.settle()] == [RunState.PREPARING]


def test_an_unchanged_bucket_starts_nothing(world: World) -> None:
    world.complete(world.start().run_id)

    look(world)

    assert world.timer.wakes == []
    assert world.runs.pending() is None


def test_a_refused_run_is_retried_once_it_would_be_accepted(world: World) -> None:
    world.plan = replace(world.plan, budget=0.1)
    world.upload_dataset()
    world.settle()

    look(world)
    assert world.timer.wakes == []

    world.plan = replace(world.plan, budget=10.0)
    look(world)
    assert [run.state for run in world.settle()] == [RunState.PREPARING]


def test_a_lost_settle_message_is_sent_again_when_due(world: World) -> None:
    world.upload_dataset()
    lose_all_events(world)

    look(world)
    assert world.timer.wakes == []

    world.clock.forward(120)
    look(world)
    assert [run.state for run in world.settle()] == [RunState.PREPARING]


def test_an_empty_bucket_starts_nothing(world: World) -> None:
    assert look(world) is None
    assert world.timer.wakes == []


def test_a_changed_plan_alone_starts_nothing(world: World) -> None:
    world.complete(world.start().run_id)
    world.plan = replace(world.plan, trials=world.plan.trials + 1)
    look(world)
    assert world.runs.pending() is None


def test_a_changed_plan_alone_arms_no_timer(world: World) -> None:
    world.complete(world.start().run_id)
    world.plan = replace(world.plan, trials=5)

    look(world)

    assert world.timer.wakes == []


def test_notify_is_called_again_for_unnotified_runs(world: World) -> None:
    run = world.complete(world.start().run_id)

    look(world)
    notify(run, world)
    look(world)

    assert world.runs.reminded == [run.run_id]


def test_a_refused_file_with_a_lost_event_is_listed_once(world: World) -> None:
    world.complete(world.start().run_id)
    world.bucket.put("stray.png", b"its event was lost")

    look(world)
    (run,) = world.settle()
    look(world)

    assert run.dataset is not None
    assert [named.file for named in run.dataset.refused] == ["stray.png"]
    assert world.timer.wakes == []


def listings(world: World, days: float) -> int:
    """How often the bucket is listed while reconcile runs every five minutes and nothing changes."""
    before = world.bucket.listed
    for _ in range(round(days * 24 * 12)):
        world.clock.forward(300)
        look(world)
    return world.bucket.listed - before


def test_a_bucket_in_which_nothing_changes_is_listed_once_an_hour(world: World) -> None:
    world.complete(world.start().run_id)

    assert listings(world, 1) == 27  # after 5, 10, 20, 40 and 80 minutes, then hourly
    assert listings(world, 1) == 24


def test_a_large_bucket_is_listed_once_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.complete(world.start().run_id)
    monkeypatch.setattr(listing, "KEYS_A_PAGE", 1 / 80)  # 12 images are as many pages as a million

    assert listings(world, 2) <= 10
    assert listings(world, 8) == 8


@pytest.mark.parametrize("quiet_days", [0, 1])
def test_a_lost_event_is_made_up_for_after_an_hour_at_most(world: World, quiet_days: int) -> None:
    world.complete(world.start().run_id)
    listings(world, quiet_days)
    world.bucket.put("seedlings/Maize/unseen.png", b"its event was lost")

    listings(world, 1 / 24)

    assert world.runs.pending() is not None


def test_a_changed_plan_is_looked_at_at_once(world: World) -> None:
    world.plan = replace(world.plan, budget=0.1)
    world.upload_dataset()
    world.settle()
    listings(world, 2)

    world.plan = replace(world.plan, budget=10.0)
    look(world)

    assert [run.state for run in world.settle()] == [RunState.PREPARING]


def test_a_new_run_makes_listings_frequent_again(world: World) -> None:
    world.complete(world.start().run_id)
    listings(world, 2)
    world.upload_dataset(batch="second")
    (run,) = world.settle()
    world.complete(run.run_id, champion=0.9)

    assert listings(world, 10 / (24 * 60)) == 2


def test_a_clock_set_back_does_not_put_off_a_listing(world: World) -> None:
    world.complete(world.start().run_id)
    listings(world, 2)
    world.clock.forward(-24 * 3600)

    assert listings(world, 5 / (24 * 60)) == 1
