"""SQS in memory: unordered, delayed, at least once, with a dead-letter queue; and the table's stream."""

# ruff: noqa: N803 (AWS names its parameters)
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

MAXIMUM_RECEIVES = 5
MAXIMUM_RETRIES = 10


@dataclass(eq=False)
class QueuedMessage:
    """A message, from when it can be received, and how often it was."""

    body: str
    visible_at: datetime
    received: int = 0


@dataclass
class MemoryQueue:
    """A queue with its function's batch size; also the SQS client that sends to it. `sent` is told each delay."""

    now: Callable[[], datetime]
    visibility_timeout: timedelta
    batch_size: int
    messages: list[QueuedMessage] = field(default_factory=list)
    dead: list[QueuedMessage] = field(default_factory=list)
    sent: Callable[[int], None] = lambda _: None
    exceptions = SimpleNamespace(ClientError=ClientError)

    def send_message(self, MessageBody: str, DelaySeconds: int = 0, **_: Any) -> dict[str, str]:
        """Take a message."""
        self.sent(DelaySeconds)
        self.messages.append(QueuedMessage(MessageBody, self.now() + timedelta(seconds=DelaySeconds)))
        return {"MessageId": str(len(self.messages))}

    def visible(self) -> list[QueuedMessage]:
        """The messages that can be received."""
        now = self.now()
        return [message for message in self.messages if message.visible_at <= now]

    def receive(self, first: int) -> list[QueuedMessage]:
        """A batch, from any visible message on; one that was received too often goes to the dead-letter queue."""
        visible = self.visible()
        first = first % len(visible) if visible else 0
        batch = (visible[first:] + visible[:first])[: self.batch_size]
        for message in batch:
            message.received += 1
            message.visible_at = self.now() + self.visibility_timeout
            if message.received > MAXIMUM_RECEIVES:
                self.messages.remove(message)
                self.dead.append(message)
        return [message for message in batch if message.received <= MAXIMUM_RECEIVES]

    def delete(self, message: QueuedMessage) -> None:
        """Forget a message that was dealt with."""
        if message in self.messages:
            self.messages.remove(message)


@dataclass
class MemoryStream:
    """The table's stream: in order, each record again until its function takes it or it was tried too often."""

    records: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    written: int = 0
    tries: int = 0
    dead: list[dict[str, Any]] = field(default_factory=list)

    def add(self, image: dict[str, Any]) -> None:
        """Take a record, with the next sequence number."""
        self.written += 1
        self.records.append((self.written, image))

    def batch(self, size: int) -> list[tuple[int, dict[str, Any]]]:
        """The oldest records; one alone where a try failed, as its batch was bisected."""
        return list(self.records)[: 1 if self.tries else size]

    def taken(self, through: int) -> None:
        """Records up to this sequence number are done."""
        while self.records and self.records[0][0] <= through:
            self.records.popleft()
            self.tries = 0

    def not_taken(self) -> None:
        """The oldest record failed again."""
        self.tries += 1
        if self.tries > MAXIMUM_RETRIES:
            self.dead.append(self.records.popleft()[1])
            self.tries = 0
