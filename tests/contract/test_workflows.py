"""The workflow files: what they run is pinned, and none has more rights than it needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.contract.template import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.stem)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    file: Path = request.param
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def test_every_action_is_pinned_to_a_commit(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]

    assert used
    assert [action for action in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)] == []


def test_a_workflow_reads_the_repository_and_no_more(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job.get("timeout-minutes") for job in workflow["jobs"].values())


def test_only_a_person_starts_what_costs_money() -> None:
    content = yaml.safe_load((ROOT / ".github/workflows/aws.yml").read_text(encoding="utf-8"))

    assert list(content[True]) == ["workflow_dispatch"]  # YAML reads the key `on` as true
    assert content["jobs"]["flow"]["permissions"] == {"contents": "read", "id-token": "write"}
