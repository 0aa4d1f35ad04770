"""What stands in the way of a deployment is a sentence that says what to do next."""

import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from seedbed.commands.deploy import check_no_run, outcome
from seedbed.deploy import subscription
from seedbed.deploy.account import Account
from seedbed.deploy.deploy import Deployed, check_state
from seedbed.deploy.stack_state import StackState
from seedbed.deploy.stacks import Stacks
from seedbed.deploy.subscription import Subscription
from seedbed.deploy.undeploy import Inventory
from seedbed.errors import SeedbedError
from tests.seedbed.commands import Person

TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
DEPLOY = ("deploy", "--email", "me@example.org", "--stack", "mine")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    return Person(monkeypatch, capsys)


def stack_in(status: str, description: str = "Seedbed. Seedlings.") -> StackState:
    return StackState("mine", "arn", status, description, {}, {})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("CREATE_IN_PROGRESS", r"AWS is at work .*CREATE_IN_PROGRESS.*: wait until"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", r": wait until that has ended, then run this again\."),
        ("DELETE_IN_PROGRESS", ": wait until"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ": wait until"),
        ("ROLLBACK_COMPLETE", r"ROLLBACK_COMPLETE.*`seedbed undeploy --stack mine`, then run this again\."),
        ("CREATE_FAILED", "seedbed undeploy"),
        ("DELETE_FAILED", "seedbed undeploy"),
        ("ROLLBACK_FAILED", "seedbed undeploy"),
        ("UPDATE_ROLLBACK_FAILED", "CloudFormation's console"),
    ],
)
def test_a_stack_that_cant_be_changed_now_says_what_to_do(status: str, said: str) -> None:
    with pytest.raises(SeedbedError, match=said):
        check_state(stack_in(status), "seedbed undeploy --stack mine")


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
)
def test_a_stack_that_can_be_changed_is_deployed_to(status: str) -> None:
    check_state(stack_in(status), "seedbed undeploy --stack mine")


@pytest.mark.parametrize("description", ["The shop", ""])
def test_a_stack_of_something_else_is_not_deployed_to(description: str) -> None:
    with pytest.raises(SeedbedError, match="is not Seedbed's"):
        check_state(stack_in("CREATE_COMPLETE", description), "mine")


def inventory(monkeypatch: pytest.MonkeyPatch, open_run: str) -> Inventory:
    """What an undeployment finds: a stack, with this run in progress."""
    monkeypatch.setattr(Inventory, "open_run", lambda _: open_run)
    account = Account(boto3.session.Session(), "123456789012", "us-east-1")
    return Inventory(account, stack_in("CREATE_COMPLETE"), None, (), 0, 0)


def test_a_stack_whose_run_is_in_progress_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    check_no_run(inventory(monkeypatch, ""))
    with pytest.raises(SeedbedError, match=r"The run sb-1 is in progress.*seedbed stop sb-1 --aws mine"):
        check_no_run(inventory(monkeypatch, "sb-1"))


def test_a_stack_that_was_only_looked_at_is_created() -> None:
    client = boto3.client("cloudformation")
    stub = Stubber(client)
    described = {"StackName": "mine", "StackStatus": "REVIEW_IN_PROGRESS", "CreationTime": "2026-01-01"}
    stub.add_response("describe_stacks", {"Stacks": [described]})

    with stub:
        assert Stacks(client, print, print).find("mine") is None


@pytest.mark.parametrize(
    ("listed", "state"),
    [
        ([("email", "me@example.org", f"{TOPIC}:1")], Subscription.confirmed),
        ([("email", "you@example.org", f"{TOPIC}:1"), ("email", "me@example.org", "PendingConfirmation")], "pending"),
        ([("https", "me@example.org", f"{TOPIC}:1")], Subscription.missing),
        ([], Subscription.missing),
    ],
    ids=["confirmed", "pending", "another protocol", "none"],
)
def test_an_address_is_heard_once_it_is_confirmed(listed: list[tuple[str, str, str]], state: Subscription) -> None:
    client = boto3.client("sns")
    stub = Stubber(client)
    names = ("Protocol", "Endpoint", "SubscriptionArn")
    subscriptions = [dict(zip(names, each, strict=True)) for each in listed]
    stub.add_response("list_subscriptions_by_topic", {"Subscriptions": subscriptions}, {"TopicArn": TOPIC})

    with stub:
        assert subscription.state_of(client, TOPIC, "me@example.org") == state


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (Subscription.confirmed, "E-mails go to me@example.org."),
        (Subscription.pending, "Nobody hears of runs yet: follow the link"),
        (Subscription.missing, "Nobody hears of runs yet: follow the link"),
    ],
)
def test_what_was_deployed_ends_with_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, heard: Subscription, said: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    account = Account(boto3.session.Session(region_name="eu-central-1"), "123456789012", "eu-central-1")
    lines = list(outcome(Deployed(account, stack_in("CREATE_COMPLETE"), "image", 1.854, "me@example.org", heard)))

    assert any(said in line for line in lines)
    assert "Later commands need the region: export AWS_REGION=eu-central-1" in lines
    assert "$1.85" in " ".join(lines)
    assert "upload FOLDER --aws mine" in lines[-2]


@pytest.mark.parametrize("command", [DEPLOY, ("undeploy", "--stack", "mine")], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("removed", "said"),
    [
        (["AWS_ACCESS_KEY_ID"], "No AWS credentials were found. Sign in"),
        (["AWS_SECRET_ACCESS_KEY"], "Your AWS credentials are incomplete."),
        (["AWS_REGION", "AWS_DEFAULT_REGION"], "No AWS region was given. Name the one to deploy to"),
    ],
    ids=["no key", "half a key", "no region"],
)
def test_an_account_that_cant_be_used_is_a_sentence(
    person: Person, command: tuple[str, ...], removed: list[str], said: str
) -> None:
    for name in removed:
        person.monkeypatch.delenv(name)

    outcome = person.runs(*command)

    assert said in outcome.notes
    outcome.assert_is_sentence(status=2 if "region" in said else 1)


def test_who_interrupts_is_told_that_aws_continues(person: Person) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    person.monkeypatch.setattr("seedbed.deploy.account.caller_of", lambda _: "123456789012")
    person.monkeypatch.setattr(Stacks, "find", interrupt)

    outcome = person.runs(*DEPLOY)

    assert outcome.status == 130
    assert "What was begun on AWS continues there." in outcome.notes


def test_a_denied_action_is_named(person: Person) -> None:
    message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: cloudformation:DescribeStacks"
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "DescribeStacks")

    def deny(*_: Any) -> None:
        raise denied

    person.monkeypatch.setattr("seedbed.deploy.account.caller_of", lambda _: "123456789012")
    person.monkeypatch.setattr(Stacks, "find", deny)

    outcome = person.runs(*DEPLOY)

    outcome.assert_is_sentence(status=1)
    assert "not authorized to perform: cloudformation:DescribeStacks" in outcome.notes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--email", "me"), "me is not an e-mail address."),
        (("--stack", "Mine"), "Mine can't be the stack's name"),
        (("--stack", ""), "An empty text can't be the stack's name"),
        (("--stack", "a" * 41), "can't be the stack's name"),
        (("--set", "TrialCount"), "--set takes NAME=VALUE"),
        (("--set", "Trials=4"), "The template has no parameter Trials."),
        (("--budget", "much"), "RunBudget can't be much: it must be a number from 0."),
        (("--region", "Frankfurt"), "Frankfurt is not a region of AWS with SageMaker. Name another with --region."),
        (("--region", "eu-centrl-1"), "Did you mean eu-central-1?"),
    ],
    ids=lambda value: re.sub(r"\W+", "-", value[-1][:20]) if isinstance(value, tuple) else "",
)
def test_a_wrong_word_is_refused_before_aws_is_asked(person: Person, words: tuple[str, ...], said: str) -> None:
    person.monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    outcome = person.runs(*DEPLOY, *words)

    outcome.assert_is_sentence(status=2)
    assert said in outcome.notes
