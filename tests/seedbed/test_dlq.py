"""Dead letters are listed without being lost, and sent back to their queues."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from seedbed.dlq import dead_letters, redrive
from seedbed.errors import SeedbedError
from seedbed.stack import Stack
from tests.contract.template import Template

POISON = "{not JSON \x1b[2J" + "x" * 500
TARGET = "arn:aws:sqs:us-east-1:123456789012:uploads"


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with the template's queues, as its output names them."""
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        sqs = session.client("sqs")
        names = ("uploads", "uploads-dead", "states", "states-dead", "undelivered")
        url = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
        queues = {
            "upload": [url["uploads-dead"], url["uploads"]],
            "job state": [url["states-dead"], url["states"]],
            "delivery": [url["undelivered"], ""],
        }
        yield Stack(session, None, {"DeadLetterQueues": json.dumps(queues)})


def send(stack: Stack, queue: str, body: str, target: str = "") -> None:
    sqs = stack.client("sqs")
    attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": target}} if target else {}
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def waiting(stack: Stack, queue: str) -> list[str]:
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def test_dead_letters_can_be_listed_repeatedly_oldest_first(stack: Stack) -> None:
    for number in range(25):
        send(stack, "uploads-dead", f"upload {number}")
    send(stack, "states-dead", POISON)

    first, second = dead_letters(stack), dead_letters(stack)

    assert {letter.body for letter in first} == {letter.body for letter in second}
    assert len(first) == 26
    assert [letter.sent_at for letter in first] == sorted(letter.sent_at for letter in first)
    assert {letter.about for letter in first} == {"upload", "job state"}


def test_a_summary_holds_no_control_characters(stack: Stack) -> None:
    send(stack, "states-dead", POISON)

    (letter,) = dead_letters(stack)

    assert letter.summary.startswith("{not JSON ?[2Jxxx")
    assert len(letter.summary) == 120
    assert letter.as_json()["body"] == POISON


def test_dead_letters_are_sent_back_to_their_queues(stack: Stack) -> None:
    send(stack, "uploads-dead", "an upload")
    send(stack, "states-dead", "a state")
    send(stack, "undelivered", "an upload that the rule could not deliver", TARGET)

    assert redrive(stack) == (3, 0)

    assert sorted(waiting(stack, "uploads")) == ["an upload", "an upload that the rule could not deliver"]
    assert waiting(stack, "states") == ["a state"]
    assert dead_letters(stack) == []


def test_a_message_that_was_never_in_a_queue_stays(stack: Stack) -> None:
    send(stack, "undelivered", '{"DDBStreamBatchInfo": {}}')

    assert redrive(stack) == (0, 1)
    assert [letter.came_from for letter in dead_letters(stack)] == [None]


def test_a_stack_without_the_output_is_refused_with_advice() -> None:
    with pytest.raises(SeedbedError, match="Deploy it again"):
        dead_letters(Stack(boto3.Session(region_name="us-east-1"), None, {}))


def test_the_template_names_all_its_dead_letter_queues() -> None:
    template = Template()
    names = list(template.of_type("AWS::SQS::Queue"))
    resolved = Template(physical={name: f"https://sqs/{name}" for name in names})

    queues = json.loads(resolved.resolve(resolved.content["Outputs"]["DeadLetterQueues"]["Value"]))

    assert {url for pair in queues.values() for url in pair if url} == {f"https://sqs/{name}" for name in names}
    assert all(dead == source.replace("Queue", "DeadLetterQueue") for dead, source in queues.values() if source)
