"""Dead letters: messages that no function could process. They can be listed, and sent back to their queues."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import SeedbedError
from .stack import Stack
from .terminal.text import printable

BATCH = 10
HIDDEN_SECONDS = 120
SUMMARY_LENGTH = 120


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. `came_from` is its original queue, None if it never was in one."""

    message_id: str
    about: str
    sent_at: datetime
    body: str
    came_from: str | None
    queue: str
    handle: str

    def as_json(self) -> dict[str, str | bool]:
        """What `seedbed dlq list --json` prints of it."""
        return {
            "message_id": self.message_id,
            "about": self.about,
            "sent_at": self.sent_at.isoformat(),
            "body": self.body,
            "redrivable": self.came_from is not None,
        }

    @property
    def summary(self) -> str:
        """The body on one line, shortened, without control characters."""
        text = printable(self.body)
        return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1] + "…"


def dead_letters(stack: Stack) -> list[DeadLetter]:
    """All dead letters, oldest first; they stay in their queues."""
    sqs = stack.client("sqs")
    found = list(taken(stack))
    for letter in found:
        sqs.change_message_visibility(QueueUrl=letter.queue, ReceiptHandle=letter.handle, VisibilityTimeout=0)
    return sorted(found, key=lambda letter: letter.sent_at)


def redrive(stack: Stack) -> tuple[int, int]:
    """Send dead letters back to their original queues. Returns how many were sent, and how many never were in a queue.

    Each is sent before it is deleted, so an interruption may duplicate one; every function tolerates that.
    """
    sqs = stack.client("sqs")
    sent = left = 0
    for letter in list(taken(stack)):
        if letter.came_from is None:
            sqs.change_message_visibility(QueueUrl=letter.queue, ReceiptHandle=letter.handle, VisibilityTimeout=0)
            left += 1
            continue
        sqs.send_message(QueueUrl=letter.came_from, MessageBody=letter.body)
        sqs.delete_message(QueueUrl=letter.queue, ReceiptHandle=letter.handle)
        sent += 1
    return sent, left


def taken(stack: Stack) -> Iterator[DeadLetter]:
    """Receives every dead letter, which hides it from others for two minutes."""
    sqs = stack.client("sqs")
    for about, (queue, source) in dead_letter_queues(stack).items():
        seen: set[str] = set()
        while messages := sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            fresh = [message for message in messages if message["MessageId"] not in seen]
            seen |= {message["MessageId"] for message in fresh}
            yield from (letter_of(message, about, queue, source or target_of(message, stack)) for message in fresh)


def letter_of(message: dict[str, Any], about: str, queue: str, came_from: str | None) -> DeadLetter:
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(
        message_id=message["MessageId"],
        about=about,
        sent_at=sent_at,
        body=message["Body"],
        came_from=came_from,
        queue=queue,
        handle=message["ReceiptHandle"],
    )


def target_of(message: dict[str, Any], stack: Stack) -> str | None:
    """The queue that a rule failed to deliver to; None if its target was a function."""
    target = message.get("MessageAttributes", {}).get("TARGET_ARN", {}).get("StringValue", "")
    name = target.rpartition(":")[2]
    sources = {source for _, source in dead_letter_queues(stack).values() if source}
    return next((source for source in sources if source.rpartition("/")[2] == name), None)


def dead_letter_queues(stack: Stack) -> dict[str, tuple[str, str]]:
    """By topic: the dead-letter queue and the original queue, which is empty for failed deliveries.

    Raises SeedbedError if the stack's outputs don't name them.
    """
    if "DeadLetterQueues" not in stack.outputs:
        raise SeedbedError("This stack does not name its dead-letter queues. Deploy it again, with this release.")
    queues: dict[str, tuple[str, str]] = json.loads(stack.outputs["DeadLetterQueues"])
    return queues
