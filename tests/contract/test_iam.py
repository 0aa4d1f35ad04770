"""Least privilege: every AWS call that a function can make is allowed, and nothing else is."""

import pytest

from tests.contract.iam import granted, needed
from tests.contract.template import Template

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
