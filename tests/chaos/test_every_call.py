"""Each call to AWS of a whole story goes wrong once, in every way: what was begun is ended all the same."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import MANY_IMAGES, Cloud
from tests.chaos.faults import Fault

KEYS = [f"seedlings/{label}/{number}.png" for label in ("Maize", "Common wheat") for number in range(2)]


def upload(cloud: Cloud, batch: str) -> None:
    for key in KEYS:
        cloud.upload(key, f"{batch} image at {key}".encode())


def champion_and_challenger(cloud: Cloud) -> None:
    """A dataset gets its run, and a changed one another that is warm-started and meets the champion."""
    upload(cloud, "first")
    cloud.flow(900)
    upload(cloud, "second")
    cloud.upload("stray.png", b"no image")
    cloud.flow(900)


def every_event_lost(cloud: Cloud) -> None:
    """Nothing but the clock wakes anybody."""
    upload(cloud, "first")
    for _ in range(8):
        for queue in cloud.queues.values():
            queue.messages.clear()
        cloud.forward(300)
        for job in cloud.sagemaker.running_jobs():
            cloud.sagemaker.end(job)
        cloud.job_states.messages.clear()
        cloud.reconcile()
        while cloud.deliver("start_run"):
            pass
        cloud.tell()


def table_lost(cloud: Cloud) -> None:
    """The table is deleted between two runs, while people may not have been told of the first, and filled again."""
    upload(cloud, "first")
    cloud.flow(900)
    upload(cloud, "second")
    cloud.flow(300)
    cloud.lose_table()
    while not cloud.reconcile(rebuild=True):
        pass
    cloud.flow(900)


def many_images(cloud: Cloud) -> None:
    """A dataset is prepared on several instances, and its heads are tuned on a sample."""
    cloud.plan = cloud.affordable = MANY_IMAGES
    champion_and_challenger(cloud)


def every_event_of_many_images_lost(cloud: Cloud) -> None:
    """Nothing but the clock wakes anybody, in a run that has two jobs more."""
    cloud.plan = cloud.affordable = MANY_IMAGES
    every_event_lost(cloud)


STORIES = [champion_and_challenger, every_event_lost, table_lost, many_images, every_event_of_many_images_lost]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("story", STORIES)
def test_every_story_ends_well_with_a_fault_in_any_call(story: Callable[[Cloud], None], fault: Fault) -> None:
    calm = Cloud()
    story(calm)
    assert calm_down(calm) == []
    runs = calm.watch.ended

    broken = {}
    for number in range(calm.faults.calls):
        cloud = Cloud()
        cloud.faults.plan(number, fault)
        story(cloud)
        found = calm_down(cloud)
        if found or not runs <= cloud.watch.ended:
            broken[number] = found or sorted(cloud.watch.ended)
    assert len(runs) >= 1
    assert broken == {}


def all_the_world(cloud: Cloud) -> None:
    """An image comes, and whatever may wake a function does so at once."""
    cloud.upload("seedlings/Maize/meanwhile.png", str(cloud.clock.now()).encode())
    cloud.flow(130)
    for job in cloud.sagemaker.running_jobs():
        cloud.sagemaker.end(job)
    cloud.reconcile()
    cloud.deliver_all()


def a_person_stops(cloud: Cloud) -> None:
    """The open run is to stop."""
    cloud.ask_to_stop()


def a_person_rebuilds(cloud: Cloud) -> None:
    """The table is lost and filled again while all goes on."""
    cloud.lose_table()
    cloud.reconcile(rebuild=True)


@pytest.mark.parametrize("meanwhile", [all_the_world, a_person_stops, a_person_rebuilds])
@pytest.mark.parametrize("story", STORIES)
def test_every_story_ends_well_with_changes_during_any_call(
    story: Callable[[Cloud], None], meanwhile: Callable[[Cloud], None]
) -> None:
    calm = Cloud()
    story(calm)

    broken = {}
    for number in range(calm.faults.calls):
        cloud = Cloud()
        cloud.faults.meanwhile(number, partial(meanwhile, cloud))
        story(cloud)
        found = calm_down(cloud)
        if found and cloud.watch.tables_lost:
            # A run goes on while the table is lost and another is started: it comes back when that one has ended.
            cloud.reconcile(rebuild=True)
            found = calm_down(cloud)
        if found:
            broken[number] = found
    assert broken == {}
