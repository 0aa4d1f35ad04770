"""A run of many images has two jobs more, and ends well whatever becomes of them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from job_manager.domain import layout
from tests.chaos.aftermath import calm_down
from tests.chaos.cloud import MANY_IMAGES, Cloud
from tests.chaos.sagemaker import Fate

KEYS = [f"seedlings/{label}/{number}.png" for label in ("Maize", "Common wheat") for number in range(2)]
JOBS = ("-prepare", "-merge", "", "-refit", "-fine", "-evaluate")


def told(cloud: Cloud, *fates: Fate, quality: float = 0.7) -> dict[str, Any]:
    """The first run of a dataset whose jobs end like this, as the table has it; all after these complete."""
    cloud.sagemaker.fates += [(fate, quality) for fate in fates]
    for key in KEYS:
        cloud.upload(key, f"the image at {key}".encode())
    cloud.flow(timedelta(hours=2).total_seconds())
    assert calm_down(cloud) == []
    runs = [item for item in cloud.table.items.values() if "state" in item]
    first: dict[str, Any] = json.loads(min(runs, key=lambda item: item["created_at"]["S"])["body"]["S"])
    return first


def test_a_run_of_many_images_has_its_jobs_one_after_the_other() -> None:
    cloud = Cloud(MANY_IMAGES)
    run = told(cloud)

    assert run["state"] == "Completed"
    assert list(cloud.sagemaker.jobs) == [run["run_id"] + job for job in JOBS]
    assert run["best_head"]["name"] == layout.refit_job(run["run_id"])


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.HANGING, Fate.GARBLED, Fate.STOPPED])
def test_a_merge_that_does_not_complete_ends_its_run(fate: Fate) -> None:
    cloud = Cloud(MANY_IMAGES)
    run = told(cloud, Fate.COMPLETED, fate)

    assert run["state"] in {"Failed", "Stopped"}
    assert list(cloud.sagemaker.jobs) == [run["run_id"] + job for job in JOBS[:2]]
    assert cloud.watch.told[run["run_id"]] == 1


def test_a_merge_that_found_no_instance_begins_again() -> None:
    cloud = Cloud(MANY_IMAGES)
    run = told(cloud, Fate.COMPLETED, Fate.NO_CAPACITY)

    assert (run["state"], run["begins_again"]) == ("Failed", True)
    assert f"{run['run_id'].removesuffix('1')}2-merge" in cloud.sagemaker.jobs


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.NO_CAPACITY])
def test_a_training_on_all_images_that_fails_leaves_the_head_of_the_sample(fate: Fate) -> None:
    run = told(Cloud(MANY_IMAGES), Fate.COMPLETED, Fate.COMPLETED, Fate.COMPLETED, fate)

    assert run["state"] == "Completed"
    assert run["best_head"]["name"].startswith(f"{run['run_id']}-001-")
    assert "The best head is the one trained on 1 image" in run["notice"]


def test_a_training_on_all_images_that_its_time_limit_ends_counts() -> None:
    run = told(Cloud(MANY_IMAGES), Fate.COMPLETED, Fate.COMPLETED, Fate.COMPLETED, Fate.HANGING)

    assert run["best_head"]["name"] == layout.refit_job(run["run_id"])
    assert "TrialTimeLimitSeconds" in run["notice"]
