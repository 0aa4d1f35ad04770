"""What `ports.SettleTimer`, `ports.Announcer` and `ports.Clock` promise, on SQS, SNS and in memory."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from job_manager.aws.events import settle_message
from job_manager.aws.sns import SNSAnnouncer
from job_manager.aws.sqs import SQSSettleTimer, SystemClock
from job_manager.domain.message import SUBJECT_LIMIT, Message
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
    """An announcer, and what those hear who subscribed."""
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

    return SNSAnnouncer(sns, topic), heard


@pytest.mark.parametrize("subject", ["Seedbed: ein neues bestes Modell", "S" * SUBJECT_LIMIT])
def test_a_message_reaches_the_subscribers(
    announcer: tuple[Announcer, Callable[[], list[Message]]], subject: str
) -> None:
    port, heard = announcer
    message = Message(subject, "The first line.\n\nMaïs: 玉米\n")

    port.publish(message)

    assert heard() == [message]


@pytest.mark.parametrize("confirmed", [0, 1, 12])
def test_a_topic_is_heard_once_a_subscription_is_confirmed(confirmed: int) -> None:
    client = boto3.client("sns")
    topic = "arn:aws:sns:us-east-1:123456789012:seedbed"
    with Stubber(client) as stub:
        attributes = {"SubscriptionsConfirmed": str(confirmed), "SubscriptionsPending": "1"}
        stub.add_response("get_topic_attributes", {"Attributes": attributes}, {"TopicArn": topic})

        assert SNSAnnouncer(client, topic).is_heard() is (confirmed > 0)


def test_the_system_clock_returns_utc() -> None:
    before = datetime.now(UTC)

    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
