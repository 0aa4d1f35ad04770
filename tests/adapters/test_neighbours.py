"""What `ports.SettleTimer`, `ports.Announcer` and `ports.Clock` promise, on SQS, SNS and in memory."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
import pytest
from botocore.stub import Stubber

from job_manager.aws.events import settle_message
from job_manager.aws.sns import SNSAnnouncer
from job_manager.aws.sqs import SQSSettleTimer, SystemClock
from job_manager.domain.notifications.notification import Form, Kind, Line, Notification, Outcome, Section
from job_manager.domain.notifications.plain_text import Message, message_of
from job_manager.domain.notifications.wording import SUBJECT_LIMIT
from job_manager.domain.settling import PendingChange
from job_manager.ports import Announcer, SettleTimer
from tests.fakes.neighbours import MemoryAnnouncer, MemoryClock, MemoryTimer

NINE = datetime(2026, 3, 20, 9, 0, 0, 123456, tzinfo=UTC)
CHANGE = PendingChange(NINE - timedelta(hours=1), NINE)

Armed = Callable[[], list[tuple[float, datetime]]]


@pytest.fixture(params=["SQS", "memory"])
def timer(request: pytest.FixtureRequest) -> tuple[SettleTimer, Armed]:
    """A timer, and what was armed: in how many seconds, for which last upload."""
    if request.param == "memory":
        clock = MemoryClock()
        memory = MemoryTimer(clock)
        return memory, lambda: [((at - clock.now()).total_seconds(), seen) for at, seen in memory.wakes]
    request.getfixturevalue("aws")
    client = boto3.client("sqs")
    queue = client.create_queue(QueueName="settle")["QueueUrl"]
    sent: list[dict[str, Any]] = []
    client.meta.events.register("provide-client-params.sqs.SendMessage", lambda params, **_: sent.append(params))
    return SQSSettleTimer(client, queue), lambda: [
        (message["DelaySeconds"], settle_message(message["MessageBody"]).last_at) for message in sent
    ]


@pytest.mark.parametrize(
    ("delay", "seconds"), [(-5, 0), (0, 0), (1, 1), (119.5, 120), (900, 900), (900.5, 900), (86_400, 900)]
)
def test_the_timer_waits_for_the_delay_or_its_maximum(
    timer: tuple[SettleTimer, Armed], delay: float, seconds: int
) -> None:
    settle, armed = timer

    settle.arm(CHANGE, timedelta(seconds=delay))

    ((waits, seen),) = armed()
    assert seconds - 1 < waits <= seconds
    assert seen == NINE


def test_a_wake_up_on_sqs_arrives(aws: None) -> None:
    client = boto3.client("sqs")
    queue = client.create_queue(QueueName="settle")["QueueUrl"]

    SQSSettleTimer(client, queue).arm(CHANGE, timedelta(0))

    (message,) = client.receive_message(QueueUrl=queue)["Messages"]
    assert settle_message(message["Body"]).last_at == NINE


@pytest.fixture(params=["SNS", "memory"])
def announcer(request: pytest.FixtureRequest) -> tuple[Announcer, Callable[[], list[Message]]]:
    """An announcer, and what those hear who subscribed to the e-mails."""
    if request.param == "memory":
        memory = MemoryAnnouncer()
        return memory, lambda: memory.sent
    request.getfixturevalue("aws")
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="seedbed")["TopicArn"]
    queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def heard() -> list[Message]:
        bodies = [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=queue)["Messages"]]
        return [Message(body["Subject"], body["Message"]) for body in bodies]

    return SNSAnnouncer(sns, topic, "", "seedbed"), heard


def a_notification(subject: str = "Seedbed: done", text: str = "玉米", lines: int = 1) -> Notification:
    """A notification of that many lines."""
    return Notification(
        kind=Kind.FINISHED,
        outcome=Outcome.NEW_BEST,
        better=True,
        run_id="sb-0123456789abcdef-1",
        stack="seedbed",
        state="Completed",
        subject=subject,
        summary=("The first line.",),
        created_at=NINE,
        upper_bound_usd=0.5,
        sections=(Section("Labels", (Line(Form.FACT, text, "Maïs"),) * lines),),
    )


@pytest.mark.parametrize("subject", ["Seedbed: ein neues bestes Modell", "S" * SUBJECT_LIMIT])
def test_an_e_mail_reaches_the_subscribers_as_text(
    announcer: tuple[Announcer, Callable[[], list[Message]]], subject: str
) -> None:
    port, heard = announcer

    port.mail(a_notification(subject))

    assert heard() == [Message(subject, "The first line.\n\nLabels\n------\nMaïs: 玉米\n")]


def published(action: str, notification: Notification) -> dict[str, Any]:
    """What SNS is asked to publish when a notification is mailed or announced."""
    asked: list[dict[str, Any]] = []
    client = boto3.client("sns")
    client.meta.events.register("provide-client-params.sns.Publish", lambda params, **_: asked.append(params))
    with Stubber(client) as stub:
        stub.add_response("publish", {"MessageId": "1"})
        getattr(SNSAnnouncer(client, "mail", "events", "seedbed"), action)(notification)
    return asked[0]


def test_a_program_that_subscribes_to_the_e_mails_gets_the_notification_as_json() -> None:
    notification = a_notification()

    sent = published("mail", notification)

    assert sent["TopicArn"] == "mail"
    assert sent["MessageStructure"] == "json"
    content = json.loads(sent["Message"])
    assert content["default"] == message_of(notification).body
    assert msgspec.json.decode(content["email-json"], type=Notification) == notification


def test_an_event_is_the_notification_as_json_with_attributes_to_filter_by() -> None:
    notification = a_notification()

    sent = published("announce", notification)

    assert sent["TopicArn"] == "events"
    assert msgspec.json.decode(sent["Message"], type=Notification) == notification
    assert {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()} == {
        "kind": "finished",
        "outcome": "new_best",
        "better": "true",
        "stack": "seedbed",
        "run_id": "sb-0123456789abcdef-1",
    }


@pytest.mark.parametrize("text", ["x" * 700, '"' * 700, "玉" * 230, "\\" * 700])
def test_what_is_published_is_never_more_than_sns_takes(text: str) -> None:
    notification = a_notification(text=text, lines=250)

    mailed, announced = (published(action, notification) for action in ("mail", "announce"))

    for sent in (mailed, announced):
        attributes = sum(len(name + value["StringValue"]) for name, value in sent["MessageAttributes"].items())
        assert len(sent["Message"].encode()) + attributes <= 256 * 1024
    whole = json.loads(mailed["Message"])["default"] if "MessageStructure" in mailed else mailed["Message"]
    assert whole == message_of(notification).body
    assert json.loads(announced["Message"])["subject"] == notification.subject


@pytest.mark.parametrize("confirmed", [0, 1, 12])
def test_a_topic_is_heard_once_a_subscription_is_confirmed(confirmed: int) -> None:
    client = boto3.client("sns")
    topic = "arn:aws:sns:us-east-1:123456789012:seedbed"
    with Stubber(client) as stub:
        attributes = {"SubscriptionsConfirmed": str(confirmed), "SubscriptionsPending": "1"}
        stub.add_response("get_topic_attributes", {"Attributes": attributes}, {"TopicArn": topic})

        assert SNSAnnouncer(client, topic, "", "seedbed").is_heard() is (confirmed > 0)


def test_the_system_clock_returns_utc() -> None:
    before = datetime.now(UTC)

    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
