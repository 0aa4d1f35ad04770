"""SageMaker refuses to create jobs, for three days or for a while: whole stories on the simulated AWS."""

import json
from dataclasses import replace
from typing import Any

import pytest

from job_manager.domain.plan import Machine
from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import Cloud
from tests.chaos.refusals import REFUSALS, quota
from tests.chaos.test_found import ended, upload_again

HOUR, DAY = 3600, 24 * 3600


@pytest.fixture
def cloud() -> Cloud:
    """An empty stack."""
    return Cloud()


def mails(cloud: Cloud) -> int:
    """How many e-mails went out, of waiting and ended runs."""
    return cloud.watch.told_of_waiting.total() + cloud.watch.told.total()


def runs(cloud: Cloud) -> list[Any]:
    """The runs of the table, oldest first."""
    bodies = [json.loads(item["body"]["S"]) for item in cloud.table.items.values() if "state" in item]
    return sorted(bodies, key=lambda run: run["created_at"])


def test_a_quota_of_0_ends_each_run_at_once_with_one_mail(cloud: Cloud) -> None:
    cloud.sagemaker.refusal = REFUSALS["quota of 0"]
    for day in range(3):
        upload_again(cloud, f"day {day}")
        cloud.flow(HOUR)
        assert list(ended(cloud).values()) == ["Failed"] * (day + 1)
        cloud.flow(DAY - HOUR)

    assert mails(cloud) == len(cloud.watch.ended) == 3
    assert all("'ml.m5.xlarge for processing job usage' is 0" in run["reason"] for run in runs(cloud))
    assert calm_down(cloud) == []


@pytest.mark.parametrize("name", ["quota used up", "capacity", "throttling", "service", "permission", "role"])
def test_a_refusal_of_three_days_delays_each_run_for_hours(cloud: Cloud, name: str) -> None:
    cloud.sagemaker.refusal = REFUSALS[name]
    for day in range(3):
        upload_again(cloud, f"day {day}")
        cloud.flow(DAY)

    assert list(ended(cloud).values()) == ["Failed"] * 3
    assert cloud.watch.told_of_waiting.total() == cloud.watch.told.total() == 3
    assert calm_down(cloud) == []


def test_a_quota_lowered_and_raised_again_delays_a_run_in_each_stage(cloud: Cloud) -> None:
    upload_again(cloud, "first")
    while "Completed" not in ended(cloud).values():
        cloud.sagemaker.refusal = ("ResourceLimitExceeded", quota(1, used=1))
        cloud.flow(HOUR)
        cloud.sagemaker.refusal = None
        cloud.reconcile()

    assert cloud.watch.told_of_waiting.total() == 4
    assert runs(cloud)[0]["notice"] is None
    assert calm_down(cloud) == []


def test_a_type_without_quota_for_three_days_is_replaced_by_its_alternative(cloud: Cloud) -> None:
    other = Machine("ml.m5.2xlarge", 0.461)
    cloud.plan = cloud.affordable = replace(
        cloud.plan, processing=replace(cloud.plan.processing, alternatives=(other,))
    )
    cloud.sagemaker.lacking = {cloud.plan.processing.instance_type: REFUSALS["quota of 0"]}
    for day in range(3):
        upload_again(cloud, f"day {day}")
        cloud.flow(DAY)

    assert list(ended(cloud).values()) == ["Completed"] * 3
    assert all(run["notice"].count("It runs on ml.m5.2xlarge.") == 2 for run in runs(cloud))
    assert all(run["price_difference"] > 0 for run in runs(cloud))
    assert mails(cloud) == 3
    assert calm_down(cloud) == []


def test_a_refused_warm_start_starts_without_it(cloud: Cloud) -> None:
    upload_again(cloud, "first")
    cloud.flow(1000)
    cloud.sagemaker.refuses_warm_starts = True
    upload_again(cloud, "second")
    cloud.flow(1000)

    assert list(ended(cloud).values()) == ["Completed", "Completed"]
    assert "without the results of earlier runs" in runs(cloud)[1]["notice"]
    assert calm_down(cloud) == []


def test_an_image_pushed_late_gets_the_dataset_its_run(cloud: Cloud) -> None:
    pushed = cloud.plan.training_image.replace(":latest", "@sha256:" + "a" * 64)
    cloud.sagemaker.unpushed.add(cloud.plan.training_image)
    upload_again(cloud, "first")
    cloud.flow(2 * DAY)
    assert list(ended(cloud).values()) == ["Failed", "Failed"]
    assert "manifest unknown" in runs(cloud)[1]["reason"]

    cloud.plan = cloud.affordable = replace(cloud.plan, training_image=pushed)
    cloud.flow(2 * HOUR)

    assert list(ended(cloud).values()) == ["Failed", "Failed", "Completed"]
    assert cloud.watch.told.total() == 3
    assert calm_down(cloud) == []


def test_a_retry_after_a_push_under_the_same_tag_completes(cloud: Cloud) -> None:
    cloud.sagemaker.unpushed.add(cloud.plan.training_image)
    upload_again(cloud, "first")
    cloud.flow(HOUR)
    cloud.sagemaker.unpushed.clear()
    cloud.flow(DAY)
    assert list(ended(cloud).values()) == ["Failed", "Failed"]

    assert cloud.ask_to_retry()
    cloud.flow(2 * HOUR)

    assert list(ended(cloud).values()) == ["Failed", "Failed", "Completed"]
    assert not cloud.ask_to_retry()
    assert calm_down(cloud) == []
