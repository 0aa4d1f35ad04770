"""Uploads become one pending change and one armed timer."""

from datetime import timedelta

from job_manager.steps.note_upload import note_upload
from tests.fakes.world import World


def test_the_first_upload_arms_the_timer_for_the_end_of_the_quiet_period(world: World) -> None:
    world.upload("seedlings/Maize/1.png")

    assert world.timer.wakes == [(world.clock.now() + timedelta(minutes=2), world.clock.now())]


def test_a_burst_of_uploads_is_one_pending_change_and_starts_one_run(world: World) -> None:
    began = world.clock.now()
    for i in range(500):
        world.upload(f"seedlings/{('Maize', 'Cleavers')[i % 2]}/{i}.png")
        world.clock.forward(0.1)

    pending = world.runs.pending()
    assert pending is not None
    assert (pending.first_at, pending.last_at) == (began, began + timedelta(seconds=49.9))
    assert [run.state for run in world.settle()] == ["Preparing"]
    assert len(world.jobs.created) == 1


def test_a_slower_function_arms_the_timer_for_the_later_change(world: World) -> None:
    world.runs.note_change(world.clock.now() + timedelta(seconds=3))

    change = note_upload(world, world.rule)

    assert change.last_at == world.clock.now() + timedelta(seconds=3)
    assert world.timer.wakes == [(world.clock.now() + timedelta(seconds=120), change.last_at)]


def test_uploads_beyond_the_maximum_wait_wake_start_run_at_once(world: World) -> None:
    world.upload("seedlings/Maize/1.png")
    world.clock.forward(3600)

    world.upload("seedlings/Maize/2.png")

    assert (world.clock.now(), world.clock.now()) in world.timer.wakes
