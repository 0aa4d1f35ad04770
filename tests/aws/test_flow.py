"""The whole flow on a real AWS account: deployed, 60 images, the API, another attempt, another deployment, deleted.

The tests run in this order, each on what those before it left.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.seedlings import SPECIES, draw, write
from seedbed.stack import aws_stack
from tests.aws.account import DEPLOYED, EMAIL, REGION, ended, runs, seedbed, starts, wait_for

LABELS = SPECIES[:3]


@pytest.fixture(scope="module")
def photos(stack: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 images of three labels."""
    folder = tmp_path_factory.mktemp("photos")
    for file in write(folder, 20):
        if file.parent.name not in LABELS:
            file.unlink()
    for species in set(SPECIES) - set(LABELS):
        (folder / species).rmdir()
    return folder


@pytest.fixture(scope="module")
def first(stack: str, photos: Path) -> dict[str, Any]:
    """The run of the 60 images, ended."""
    seedbed("upload", str(photos), "--aws", stack)
    return ended(stack, 1)


def test_60_images_become_a_model(first: dict[str, Any], stack: str) -> None:
    assert (first["state"], first["images"], first["won"]) == ("Completed", 60, True)
    assert json.loads(seedbed("best", "--json", "--aws", stack))["run_id"] == first["run_id"]


def test_the_run_cost_less_than_its_bound(
    first: dict[str, Any], stack: str, record_property: Callable[[str, object], None]
) -> None:
    expected = json.loads(seedbed("cost", "--images", "60", "--json", "--aws", stack))
    for job in starts(stack, first["run_id"]):
        record_property("start of a job", json.dumps(job))
    record_property("expected and real cost", json.dumps([expected["usd"], first["cost_usd"]]))

    assert 0 < first["cost_usd"] <= sum(stage["bound_usd"] for stage in expected["stages"])


def test_the_api_answers_signed_requests_alone(first: dict[str, Any], stack: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{aws_stack(stack).api_url}/models/best", timeout=60)

    details = json.loads(seedbed("runs", first["run_id"], "--json", "--aws", stack))
    assert details["trials"]


def test_a_run_that_was_stopped_gets_another_attempt(first: dict[str, Any], stack: str, photos: Path) -> None:
    draw(LABELS[0], seed=1000).save(photos / LABELS[0] / "one more.png")
    seedbed("upload", str(photos), "--aws", stack)
    (run,) = wait_for(lambda: [run for run in runs(stack) if not run["ended_at"]], "the start of the next run")
    seedbed("stop", run["run_id"], "--aws", stack)
    assert ended(stack, 2)["state"] == "Stopped"

    seedbed("retry", run["run_id"], "--aws", stack)

    again = ended(stack, 3)
    assert (again["run_id"], again["state"]) == (f"{run['run_id'].removesuffix('-1')}-2", "Completed")


@pytest.mark.skipif(bool(DEPLOYED), reason="the stack was not made here")
def test_a_second_deployment_changes_nothing(first: dict[str, Any], stack: str) -> None:
    seedbed("deploy", "--email", os.environ[EMAIL], "--stack", stack, "--region", os.environ[REGION], limit=3600)

    assert json.loads(seedbed("best", "--json", "--aws", stack))
