"""What the doctor finds of a stack, on an emulated AWS."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from seedbed.doctor import account
from seedbed.doctor.account import Deployed, find_stack, skew
from seedbed.doctor.checks import checks_of
from seedbed.doctor.deployed import PENDING, alarms, dead_letters, runs, subscription
from seedbed.doctor.finding import Check, Finding, State, findings
from seedbed.doctor.image import architecture, image_of, judged, training_image
from seedbed.doctor.plan import defaults
from seedbed.doctor.quotas import PERMISSIONS
from seedbed.errors import SeedbedError
from seedbed.stack import Stack, refusal
from tests.contract.people import ACCOUNT, STACK, api_server
from tests.contract.template import ROOT, Template
from tests.doctor.conftest import World

SESSION = boto3.session.Session(region_name="us-east-1")
DIGEST = f"sha256:{64 * 'b'}"


def one(found: Iterable[Finding]) -> Finding:
    (finding,) = found
    return finding


def run(state: str = "Completed", cost: float = 0.25, days: int = 0, **more: Any) -> dict[str, Any]:
    created = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    run_id = "sb-0123456789abcdef-1"
    return {"run_id": run_id, "state": state, "created_at": created, "cost_usd": cost, "notice": None, **more}


def test_a_stack_is_found_with_its_parameters(world: World) -> None:
    world.deploy(TrialCount="7")

    found, deployed = find_stack(SESSION, STACK)

    assert (found.state, found.sentence) == (State.ok, "seedbed in us-east-1 is CREATE_COMPLETE.")
    assert deployed
    assert deployed.parameters == {**defaults(), "TrialCount": "7"}


def test_a_stack_in_another_region_is_named_with_its_region(world: World) -> None:
    world.deploy(region="eu-west-1")

    found, deployed = find_stack(SESSION, STACK)

    assert deployed is None
    assert found.sentence == "seedbed does not exist in us-east-1. It is in eu-west-1."
    assert (found.state, found.next_step) == (State.failed, "Set AWS_REGION=eu-west-1")


def test_a_stack_that_is_nowhere_can_be_deployed(world: World) -> None:
    found, _ = find_stack(SESSION, STACK)

    assert (found.state, "deploy --email" in found.next_step) == (State.failed, True)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_COMPLETE", State.ok),
        ("UPDATE_IN_PROGRESS", State.warning),
        ("UPDATE_ROLLBACK_COMPLETE", State.warning),
    ],
)
def test_the_state_of_a_stack_that_works_is_told(status: str, state: State) -> None:
    assert account.state_of(STACK, "us-east-1", status).state is state


@pytest.mark.parametrize(("ahead", "state"), [(-200, State.warning), (2, State.ok), (400, State.warning)])
def test_a_clock_that_differs_from_aws_is_a_warning(ahead: int, state: State) -> None:
    date = datetime.now(UTC) - timedelta(seconds=ahead)
    headers = {"date": f"{date:%a, %d %b %Y %H:%M:%S} GMT"}

    found = account.identity({"Arn": "arn:aws:iam::1:user/me", "ResponseMetadata": {"HTTPHeaders": headers}})

    assert found.state is state
    assert skew("") == 0


def test_an_image_that_was_never_pushed_fails(world: World) -> None:
    world.deploy()
    found = one(training_image(world.deployed(), ACCOUNT))
    assert (found.state, found.sentence.endswith(" was never pushed.")) == (State.failed, True)

    world.push_image(tag="other")
    assert one(training_image(world.deployed(), ACCOUNT)).state is State.failed


def test_an_image_is_found_by_its_tag(world: World) -> None:
    world.deploy()
    world.push_image()

    found = one(training_image(world.deployed(), ACCOUNT))

    assert (found.state, "1.2 GB" in found.sentence) == (State.ok, True)


def test_an_image_is_found_by_its_digest(world: World) -> None:
    digest = world.push_image("mine", "one")
    world.deploy(TrainingImage=f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/mine@{digest}")

    assert one(training_image(world.deployed(), ACCOUNT)).state is State.ok


def test_without_an_image_named_it_is_the_templates() -> None:
    deployed = Deployed(STACK, Stack(SESSION, None, {}), {"TrainingImage": ""})
    names = {
        "Table": "runs",
        "Topic": "topic",
        "EventTopic": "events",
        "SettleQueue": "settle",
        "Bucket": "bucket",
        "Api": "api",
    }
    template = Template(physical=names, attributes={("TrainingRole", "Arn"): "role"})

    found = image_of(deployed, ACCOUNT)

    assert found
    assert found.uri == template.environment["TRAINING_IMAGE"]


def test_an_image_outside_ecr_is_not_looked_for() -> None:
    deployed = Deployed(STACK, Stack(SESSION, None, {}), {"TrainingImage": "docker.io/me/trainer"})

    assert one(training_image(deployed, ACCOUNT)).state is State.warning


@pytest.mark.parametrize("processor", ["amd64", "arm64"])
def test_an_image_of_another_processor_fails(processor: str) -> None:
    manifest = json.dumps({"config": {"digest": DIGEST}})
    with (
        api_server(lambda _: {"architecture": processor}) as (url, _),
        Stubber(boto3.client("ecr", "us-east-1")) as ecr,
    ):
        ecr.add_response("batch_get_image", {"images": [{"imageManifest": manifest}]})
        asked = {"registryId": ACCOUNT, "repositoryName": "mine", "layerDigest": DIGEST}
        ecr.add_response("get_download_url_for_layer", {"downloadUrl": f"{url}/blob", "layerDigest": DIGEST}, asked)
        found = architecture(ecr.client, {"registryId": ACCOUNT, "repositoryName": "mine"}, {"imageTag": "latest"})

    assert found == processor
    judgement = judged("mine", {"imagePushedAt": datetime.now(UTC)}, found)
    assert (judgement.state is State.ok) == (processor == "amd64")


def subscribed(world: World, *arns: str) -> list[Finding]:
    """What is found of these subscriptions."""
    deployed = world.deployed()
    topic = deployed.stack.outputs["TopicArn"]
    found = [{"SubscriptionArn": arn, "Endpoint": f"you{n}@example.org"} for n, arn in enumerate(arns)]
    with Stubber(boto3.client("sns", "us-east-1")) as sns:
        sns.add_response("list_subscriptions_by_topic", {"Subscriptions": found}, {"TopicArn": topic})
        stack = Stack(SESSION, None, deployed.stack.outputs, {"sns": sns.client})
        return list(subscription(Deployed(STACK, stack, {})))


def test_an_address_that_has_not_confirmed_is_a_warning(world: World) -> None:
    world.deploy()

    found = subscribed(world, PENDING, "arn:aws:sns:us-east-1:1:t:u", "Deleted")

    assert [finding.state for finding in found] == [State.warning, State.ok]
    assert found[0].sentence == "you0@example.org has not confirmed yet, and gets no e-mail."
    assert found[1].sentence == "you1@example.org is told of every run's end."


def test_a_stack_without_a_topic_is_a_warning() -> None:
    found = one(findings([Check("E-mail", lambda: subscription(Deployed(STACK, Stack(SESSION, None, {}), {})))]))

    assert (found.state, "does not name its topic" in found.sentence) == (State.warning, True)


def test_a_topic_that_nobody_hears_is_a_warning(world: World) -> None:
    world.deploy()

    assert one(subscribed(world)).sentence == "Nobody is told of a run's end."
    assert one(subscription(world.deployed())).state is State.warning


def with_alarms(*names: str) -> Deployed:
    """A stack with these alarms among its resources."""
    cloudformation = Stubber(boto3.client("cloudformation", "us-east-1"))
    kinds = {"Topic": "AWS::SNS::Topic", **dict.fromkeys(names, "AWS::CloudWatch::Alarm")}
    known = {"LogicalResourceId": "x", "LastUpdatedTimestamp": datetime.now(UTC), "ResourceStatus": "CREATE_COMPLETE"}
    resources = [{**known, "PhysicalResourceId": name, "ResourceType": kind} for name, kind in kinds.items()]
    cloudformation.add_response("list_stack_resources", {"StackResourceSummaries": resources}, {"StackName": STACK})
    cloudformation.activate()
    return Deployed(STACK, Stack(SESSION, None, {}, {"cloudformation": cloudformation.client}), {})


def test_alarms_of_the_stack_that_fire_are_named_with_what_they_say(world: World) -> None:
    cloudwatch: Any = boto3.client("cloudwatch", "us-east-1")
    for name, state in (("mine", "ALARM"), ("well", "OK"), ("foreign", "ALARM")):
        described = {"AlarmDescription": f"This is {name}.", "Namespace": "AWS/SQS", "MetricName": "Age", "Period": 300}
        rule = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
        cloudwatch.put_metric_alarm(AlarmName=name, Statistic="Maximum", **described, **rule)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="x")

    found = one(alarms(with_alarms("mine", "well")))

    assert (found.state, found.sentence, found.next_step) == (State.failed, "mine fires.", "This is mine.")
    assert one(alarms(with_alarms("well"))).sentence == "None of 1 fires."


def test_dead_letters_are_counted_by_queue(world: World) -> None:
    world.deploy()
    deployed = world.deployed()
    assert one(dead_letters(deployed)).sentence == "None in 2 queues."

    queue, _ = json.loads(deployed.stack.outputs["DeadLetterQueues"])["delivery"]
    for _ in range(3):
        deployed.stack.client("sqs").send_message(QueueUrl=queue, MessageBody="x")

    found = one(dead_letters(deployed))
    assert (found.state, found.sentence) == (State.warning, "There are 3 of delivery.")
    assert found.next_step.endswith("dlq list --aws seedbed")


@pytest.mark.parametrize(
    ("latest", "state", "said"),
    [
        (run("Tuning"), State.ok, "is Tuning."),
        (run("Tuning", notice="It waits for a quota."), State.warning, "is Tuning. It waits for a quota."),
        (run("Failed", reason="The image is missing."), State.warning, "is Failed. The image is missing."),
        (run("Refused", reason="A label is missing."), State.warning, "is Refused. A label is missing."),
        (run(), State.ok, "is Completed."),
    ],
)
def test_the_latest_run_is_told(world: World, latest: dict[str, Any], state: State, said: str) -> None:
    world.deploy()
    world.runs.append(latest)

    found, _ = runs(world.deployed())

    assert (found.state, found.sentence.endswith(said)) == (state, True), found


@pytest.mark.parametrize(("cost", "state"), [(0.25, State.ok), (50.0, State.warning)])
def test_this_months_cost_is_beside_its_budget(world: World, cost: float, state: State) -> None:
    world.deploy()
    world.runs.extend([run(cost=cost), run(cost=cost), run(cost=7, days=40)])

    _, found = runs(world.deployed())

    assert (found.state, found.sentence) == (state, f"This month's runs have cost US$ {2 * cost:.2f} of 100.00.")


def test_an_api_that_does_not_answer_fails_and_one_that_refuses_is_a_warning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.url = "http://127.0.0.1:9"
    world.deploy()
    assert one(runs(world.deployed())).state is State.failed

    def refuse(*_: object) -> None:
        raise SeedbedError(refusal(403, {}))

    monkeypatch.setattr(Stack, "get", refuse)
    assert one(runs(world.deployed())).state is State.warning


def test_the_page_names_the_permissions_that_the_checks_need(world: World) -> None:
    world.deploy()
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    needed = [PERMISSIONS, *(check.permissions for check in checks_of(world.deployed(), ACCOUNT))]

    names = {name for text in needed for name in re.findall(r"\w+:\w+", text)}
    assert len(names) >= 7
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_a_check_that_is_denied_names_its_permission_and_the_others_are_made(world: World) -> None:
    world.deploy()
    world.push_image()

    def refuse(code: str) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "Something")

    checks = [
        Check(
            check.name,
            (lambda: refuse("AccessDeniedException")) if check.permissions else check.find,
            check.permissions,
        )
        for check in checks_of(world.deployed(), ACCOUNT)
    ]
    found = list(findings([*checks, Check("Other", lambda: refuse("InternalFailure"))]))

    needed = (
        "ecr:DescribeImages",
        "sns:ListSubscriptionsByTopic",
        "cloudwatch:DescribeAlarms",
        "sqs:GetQueueAttributes",
    )
    for permission in needed:
        assert any(permission in finding.sentence and finding.state is State.warning for finding in found), permission
    assert found[-2].name == "Cost"
    assert found[-1].sentence.startswith("This could not be checked.")
