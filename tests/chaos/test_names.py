"""Stacks that share an account, one after the other or at the same time: whole stories on the simulated AWS."""

import json
from typing import Any

import pytest

from job_manager.domain.run import PREFIX
from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import Cloud
from tests.chaos.storage import MemoryStorage
from tests.chaos.test_found import ended, upload_again

HOUR = 3600


def two_stacks(*prefixes: str) -> list[Cloud]:
    """Two stacks of one account, to which the same images were uploaded."""
    first = Cloud(storage=MemoryStorage("first"), prefix=prefixes[0])
    second = Cloud(storage=MemoryStorage("second"), prefix=prefixes[1], beside=first)
    for stack in (first, second):
        upload_again(stack, "equal")
    return [first, second]


def at_once(*stacks: Cloud) -> None:
    """Give the stacks their messages by turns, until each has completed a run or an hour has passed."""
    for _ in range(HOUR // 30):
        if all(completed(stack) for stack in stacks):
            return
        for stack in stacks:
            stack.deliver_all()
        stacks[0].forward(30)
        for stack in stacks:
            for job in stack.sagemaker.running_jobs():
                stack.sagemaker.end(job)


def completed(stack: Cloud) -> list[str]:
    return [run_id for run_id, state in ended(stack).items() if state == "Completed"]


@pytest.mark.parametrize("prefixes", [("sb-01234567", "sb-89abcdef"), (PREFIX, PREFIX)])
def test_two_stacks_with_equal_images_each_complete_their_own_run(prefixes: tuple[str, str]) -> None:
    first, second = two_stacks(*prefixes)

    at_once(first, second)

    assert not first.sagemaker.jobs.keys() & second.sagemaker.jobs.keys()
    for stack in (first, second):
        assert len(completed(stack)) == 1
        assert all(f"s3://{stack.storage.name}/" in json.dumps(job.request) for job in stack.sagemaker.jobs.values())
        assert calm_down(stack) == []


def test_a_run_whose_job_name_was_taken_in_the_last_moment_begins_again() -> None:
    first, second = two_stacks(PREFIX, PREFIX)
    create = second.sagemaker.create_processing_job

    def overtaken(**request: Any) -> Any:
        if not first.watch.ended:
            at_once(first)
        return create(**request)

    second.sagemaker.create_processing_job = overtaken  # type: ignore[method-assign]
    at_once(second)

    assert list(ended(second).values()) == ["Failed", "Completed"]
    assert completed(second)[0].endswith("-2")
    assert calm_down(second) == []


@pytest.mark.parametrize("prefix", ["sb-01234567", PREFIX])
def test_a_stack_deployed_again_over_its_emptied_bucket_trains_again(prefix: str) -> None:
    """SageMaker still has the jobs of the earlier stack, whose outputs are gone."""
    earlier = Cloud(prefix=prefix)
    upload_again(earlier, "first")
    earlier.flow(HOUR)
    assert len(completed(earlier)) == 1

    again = Cloud(storage=MemoryStorage(earlier.storage.name), prefix=prefix, beside=earlier)
    earlier.sagemaker.account.told.pop(0)
    upload_again(again, "first")
    again.flow(HOUR)

    assert ended(again) == {f"{completed(earlier)[0].removesuffix('1')}2": "Completed"}
    assert calm_down(again) == []


def test_a_stack_with_another_id_does_not_even_ask_for_the_earlier_jobs() -> None:
    earlier = Cloud(prefix="sb-01234567")
    upload_again(earlier, "first")
    earlier.flow(HOUR)

    again = Cloud(storage=MemoryStorage(earlier.storage.name), prefix="sb-89abcdef", beside=earlier)
    upload_again(again, "first")
    again.flow(HOUR)

    (run_id,) = completed(again)
    assert run_id.startswith("sb-89abcdef")
    assert run_id.endswith("-1")
    assert calm_down(again) == []
