"""What the simulation found, each as the shortest story that shows it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import Cloud
from tests.chaos.faults import Fault

DATASET = [f"seedlings/{label}/{number}.png" for label in ("Maize", "Common wheat") for number in range(2)]
PREPARED = 100 + 120


@pytest.fixture
def cloud() -> Cloud:
    """A dataset was uploaded."""
    stack = Cloud()
    upload_again(stack, "first")
    return stack


def upload_again(cloud: Cloud, batch: str) -> None:
    """Upload every image with new content."""
    for key in DATASET:
        cloud.upload(key, f"{batch} image at {key}".encode())


def calls_of(cloud: Cloud, wanted: str) -> list[int]:
    """How many calls come before each call of this operation, until all is done."""
    twin, seen = Cloud(), []
    upload_again(twin, "first")
    call = twin.faults.call

    def listening(operation: str, effect: Callable[[], Any]) -> Any:
        if operation == wanted:
            seen.append(twin.faults.calls)
        return call(operation, effect)

    twin.faults.call = listening  # type: ignore[method-assign]
    assert calm_down(twin) == []
    return [calls - cloud.faults.calls for calls in seen]


@pytest.mark.parametrize("operation", ["create_processing_job", "create_hyper_parameter_tuning_job"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_job_whose_start_was_interrupted_starts_without_events(cloud: Cloud, operation: str, which: int) -> None:
    """Reconcile asked for the trials of a tuning job that nobody had started, and died of the answer each time."""
    cloud.faults.plan(calls_of(cloud, operation)[which], Fault.CRASH_BEFORE)
    while not cloud.faults.struck:
        cloud.flow(10)
    cloud.job_states.messages.clear()

    assert calm_down(cloud) == []


def test_a_trial_that_ended_is_not_replaced_by_one_in_progress(cloud: Cloud) -> None:
    """Reconcile read of a trial that went on, and wrote that down after others had written how it ended."""
    while not any(job.tunes for job in cloud.sagemaker.jobs.values()):
        cloud.flow(10)
    (job,) = cloud.sagemaker.running_jobs()

    def all_ends() -> None:
        cloud.sagemaker.end(job)
        cloud.deliver_all()

    cloud.faults.meanwhile(5, all_ends)
    cloud.reconcile()

    assert calm_down(cloud) == []


@pytest.mark.parametrize("after", range(0, 30, 3))
def test_a_second_rebuild_completes_an_interrupted_one(cloud: Cloud, after: int) -> None:
    """The run that the first try had put back kept the slot of the open run, and the second passed over all others."""
    cloud.flow(1000)
    upload_again(cloud, "second")
    cloud.flow(1000)
    before = ended(cloud)

    cloud.lose_table()
    cloud.faults.plan(after, Fault.CRASH_AFTER)
    assert not cloud.reconcile(rebuild=True)
    assert cloud.reconcile(rebuild=True)

    assert len(before) == 2
    assert ended(cloud) == before
    assert calm_down(cloud) == []


def ended(cloud: Cloud) -> dict[str, str]:
    """The runs of the table and their states."""
    return {item["run_id"]["S"]: item["state"]["S"] for item in cloud.table.items.values() if "state" in item}


def test_a_mail_is_sent_even_after_the_stream_gave_up(cloud: Cloud) -> None:
    """The stream gives a record up after eleven tries; nothing else looked for runs that nobody had been told of."""
    cloud.topic.down = True
    cloud.flow(1000)
    cloud.topic.down = False

    assert calm_down(cloud) == []


def test_a_refused_file_is_listed_even_if_no_image_changed(cloud: Cloud) -> None:
    """The dataset version is of the images alone, so a stray file by itself was never named to anybody."""
    cloud.flow(1000)

    cloud.upload("stray.png", b"not at seedlings/<label>/<file>")
    cloud.flow(1000)

    bodies = [json.loads(item["body"]["S"]) for item in cloud.table.items.values() if "state" in item]
    assert "stray.png" in {named["file"] for run in bodies for named in run["dataset"]["refused"]}


def test_the_bucket_keeps_the_first_snapshot_of_two_wake_ups(cloud: Cloud) -> None:
    """Who came second had written over the first one's snapshot, and a rebuilt table told another beginning."""

    def another_wake_up() -> None:
        cloud.forward(1)
        cloud.settled.send_message(MessageBody=cloud.settled.messages[0].body)
        cloud.deliver("start_run")

    cloud.faults.meanwhile(calls_of(cloud, "put_object")[0], another_wake_up)
    cloud.flow(300)

    assert calm_down(cloud) == []


@pytest.mark.parametrize("noted", ["before", "before and after"])
def test_a_clock_set_back_in_the_quiet_period_does_not_delay_a_run(cloud: Cloud, noted: str) -> None:
    """The change had been noted an hour from now, so its run waited for an hour, and every later one hid behind it."""
    cloud.deliver("note_upload")
    cloud.functions_clock.step(-3600)
    if noted == "before and after":
        upload_again(cloud, "second")
        cloud.deliver("note_upload")

    cloud.flow(130)

    assert [job.name.rpartition("-")[2] for job in cloud.sagemaker.running_jobs()] == ["prepare"]
    assert calm_down(cloud) == []


def test_a_lost_wake_up_is_sent_again_after_the_clock_was_set_back(cloud: Cloud) -> None:
    """Reconcile, too, thought that the change would be due in an hour."""
    cloud.deliver("note_upload")
    cloud.settled.messages.clear()
    cloud.functions_clock.step(-3600)

    cloud.flow(300 + 130)

    assert [job.name.rpartition("-")[2] for job in cloud.sagemaker.running_jobs()] == ["prepare"]


def test_an_upload_during_a_start_stays_pending_after_a_clock_change(cloud: Cloud) -> None:
    """A change noted by a clock set back looked like the one before it, and was forgotten with that."""
    cloud.deliver("note_upload")
    cloud.functions_clock.step(-3600)

    def comes() -> None:
        cloud.upload("seedlings/Maize/meanwhile.png", b"it comes while the run starts")
        cloud.deliver("note_upload")

    cloud.forward(120)
    cloud.faults.meanwhile(calls_of(cloud, "delete_item")[0], comes)
    cloud.deliver("start_run")

    assert cloud.ports.runs.pending() is not None


def test_no_run_ends_before_it_began(cloud: Cloud) -> None:
    """A clock an hour ahead noted when the run began, SageMaker's when it ended: it had taken -57 minutes."""
    cloud.functions_clock.step(3600)
    cloud.flow(900)

    assert len(cloud.watch.ended) == 1
    assert cloud.watch.now() == []
