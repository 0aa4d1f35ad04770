"""`seedbed cost` says what a run is expected to cost before anything is spent."""

import json

import boto3
import pytest
from moto import mock_aws

from seedbed.commands import cost
from tests.seedbed.commands import Outcome, Person

TEMPLATE = {
    "Parameters": {
        name: {"Type": "String", "Default": value}
        for name, value in {
            "TrialCount": "40",
            "TrainingInstanceType": "ml.c5.xlarge",
            "TrainingPricePerHour": "9",
        }.items()
    },
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"ApiUrl": {"Value": "https://api.example.com"}, "BucketName": {"Value": "bucket"}},
}


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    monkeypatch.setenv("COLUMNS", "80")
    return Person(monkeypatch, capsys)


def stages(outcome: Outcome) -> list[str]:
    return [stage["stage"] for stage in json.loads(outcome.output)["stages"]]


def test_the_expectation_of_each_stage_and_the_bound_are_printed(person: Person) -> None:
    outcome = person.runs("cost", "--images", "4027")

    assert outcome.status == 0
    assert outcome.output.startswith("A run of 4,027 images on AWS:\n")
    assert all(f"\n {stage} " in outcome.output for stage in ("prepare", "heads", "fine-tune", "evaluate", "the run"))
    assert "List prices in us-east-1 on 20" in outcome.output


def test_a_plan_of_a_laptop_is_counted_at_the_templates_prices(person: Person) -> None:
    quick, full = (person.runs("cost", "--plan", plan, "--json") for plan in ("quick", "full"))

    assert stages(quick) == ["prepare", "heads", "evaluate"]
    assert stages(full) == ["prepare", "heads", "fine-tune", "evaluate"]
    assert 0 < json.loads(quick.output)["usd"]["low"] < json.loads(full.output)["usd"]["low"]


def test_a_stack_is_counted_with_its_own_parameters(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        formation = boto3.client("cloudformation", region_name="us-east-1")
        formation.create_stack(StackName="ours", TemplateBody=json.dumps(TEMPLATE))
        outcome = person.runs("cost", "--aws", "ours")

    assert "x ml.c5.xlarge" in outcome.output
    assert "- ml.c5.xlarge: $9 an hour (the list has 0.204)" in outcome.output


def test_a_stage_that_may_reach_its_time_limit_is_named_with_what_raises_it(person: Person) -> None:
    output = person.runs("cost", "--images", "1000000").output

    assert "evaluate may reach its time limit; the run would fail." in output
    assert "raise ProcessingTimeLimitSeconds." in output


@pytest.mark.parametrize("number", ["0", "many", "-1"])
def test_what_is_not_a_number_of_images_is_refused(person: Person, number: str) -> None:
    person.runs("cost", "--images", number).assert_is_sentence(status=2)


def test_each_stage_has_a_price_and_a_time_limit() -> None:
    assert cost.PRICES.keys() == cost.LIMITS.keys() >= cost.CONTINUES
