"""Least privilege: every AWS call that a function can make is allowed, and nothing else is."""

from collections.abc import Mapping
from typing import Any

import pytest

from job_manager.domain.dataset import SEARCH_SPACE_FILE
from tests.contract.iam import granted, needed, parse, steps_used
from tests.contract.template import ROOT, Template

TEMPLATE = Template()
NEEDED_BY_AWS = {
    "iam:PassRole": "a job is given its role",
    "sagemaker:AddTags": "jobs are created with tags",
    "sagemaker:CreateTrainingJob": "a tuning job creates its trials for who created it",
}
NEEDED_BY_EVENTS = {"Notify": {"sqs:SendMessage"}}
POLICIES = list(dict.fromkeys(granted(TEMPLATE, function) for function in TEMPLATE.functions))
SHARING = [[name for name in TEMPLATE.functions if granted(TEMPLATE, name) == policy] for policy in POLICIES]


@pytest.mark.parametrize("function", TEMPLATE.functions)
def test_every_call_that_a_function_can_make_is_allowed(function: str) -> None:
    assert needed(TEMPLATE, function) - granted(TEMPLATE, function) == set()


@pytest.mark.parametrize("functions", SHARING, ids="+".join)
def test_no_allowed_action_is_unused(functions: list[str]) -> None:
    used = set(NEEDED_BY_AWS)
    for function in functions:
        used |= needed(TEMPLATE, function) | NEEDED_BY_EVENTS.get(function, set())

    assert granted(TEMPLATE, functions[0]) - used == set()


def test_the_code_reader_follows_steps_constants_and_adapters() -> None:
    assert needed(TEMPLATE, "NoteUpload") == {"dynamodb:UpdateItem", "sqs:SendMessage"}
    assert {"sagemaker:CreateHyperParameterTuningJob", "s3:GetObject"} <= needed(TEMPLATE, "AdvanceRun")
    assert {"dynamodb:PutItem", "dynamodb:DeleteItem"} <= needed(TEMPLATE, "AdvanceRun")
    assert "s3:PutObject" in needed(TEMPLATE, "StartRun")


def test_no_statement_allows_all_resources_or_a_wildcard_action() -> None:
    for name, function in TEMPLATE.functions.items():
        for policy in function["Policies"]:
            for statement in policy["Statement"]:
                assert statement["Resource"] != "*", name
                assert "*" not in str(statement["Action"]), name


def test_whoever_plans_a_run_may_read_the_ranges_and_nobody_else() -> None:
    readers = {name for name, function in TEMPLATE.functions.items() if SEARCH_SPACE_FILE in str(function["Policies"])}
    planners = {name for name, function in TEMPLATE.functions.items() if reaches(function, ("bucket", "read_ranges"))}

    assert readers == planners == {"StartRun", "Reconcile", "Api"}


def reaches(function: Mapping[str, Any], call: tuple[str, str]) -> bool:
    """Whether a function of the job manager can come to this call of a port."""
    if function["CodeUri"] == "predictions/":
        return False
    return call in steps_used(parse(ROOT / "functions" / (function["Handler"].split(".")[0] + ".py")))
