"""Delivery of events to the targets of EventBridge's rules, by direct calls: PutEvents refuses `aws.*` sources."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients
from .kinds import Body
from .records.state_change import SOURCE
from .records.store import Store

log = logging.getLogger(__name__)

ATTEMPTS = 4
LINGER = 0.1
RETRY_SECONDS = 2.0
BATCH_EVENTS = 10
BATCH_BYTES = 200_000


@dataclass(frozen=True)
class Rule:
    """A rule: its pattern as text and as parsed JSON, and its targets as EventBridge lists them."""

    text: str
    pattern: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]


class EventPublisher:
    """Sends the events in the store's outbox, in order and in its own thread, to the targets of the rules they match.

    A delivery that keeps failing is logged and dropped: SageMaker's events are best effort.
    """

    def __init__(self, store: Store, posted: threading.Event, clients: Clients) -> None:
        self._store = store
        self._posted = posted
        self._clients = clients
        self._closing = threading.Event()
        self._queue_urls: dict[str, str] = {}
        self._delivered = 0  # differs from the store's while the disk is full
        self._thread = threading.Thread(target=self._work, name="sagemaker-events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Events that are not delivered within `timeout` seconds stay in the outbox for the next start."""
        self._closing.set()
        self._posted.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._deliver_posted()
            except sqlite3.OperationalError as error:
                log.warning("Delivered events can't be recorded yet: %s", error)
                self._closing.wait(RETRY_SECONDS)

    def _deliver_posted(self) -> None:
        batch = [(number, event) for number, event in self._store.posted(100) if number > self._delivered]
        if batch:
            self._deliver([event for _, event in batch])
            if not self._closing.is_set():
                self._delivered = batch[-1][0]
                self._store.delivered(self._delivered)
        else:
            self._posted.wait(60)
            self._posted.clear()
            self._closing.wait(LINGER)

    def _deliver(self, events: list[Body]) -> None:
        chosen: list[tuple[Mapping[str, Any], list[Body]]] = []

        def choose() -> None:
            rules = read_rules(self._clients)
            chosen[:] = [
                (target, wanted)
                for rule in rules
                if (wanted := [event for event in events if matches(self._clients, rule, event)])
                for target in rule.targets
            ]

        self._persist(choose, "EventBridge's rules")
        for target, wanted in chosen:
            for batch in batches(wanted):
                self._persist(lambda target=target, batch=batch: self._send(target, batch), target["Arn"])  # type: ignore[misc]

    def _persist(self, work: Callable[[], None], what: str) -> None:
        """Makes several attempts, then logs a warning."""
        for attempt in range(ATTEMPTS):
            try:
                work()
            except (BotoCoreError, ClientError) as error:
                fault: Exception = error
                if self._closing.wait(0.2 * 2**attempt):
                    return
            except Exception:
                log.exception("Events could not be delivered and are dropped: %s", what)
                return
            else:
                return
        log.warning("Events could not be delivered and are dropped: %s: %s", what, fault)

    def _send(self, target: Mapping[str, Any], events: list[str]) -> None:
        service = target["Arn"].split(":")[2]
        if service == "sqs":
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": text, **target.get("SqsParameters", {})}
                for number, text in enumerate(events)
            ]
            answer = self._clients.sqs.send_message_batch(QueueUrl=self._queue_url(target["Arn"]), Entries=entries)
            for failure in answer.get("Failed", []):
                log.warning("An event was refused by %s: %s", target["Arn"], failure.get("Message"))
        elif service == "lambda":
            for text in events:
                self._clients.functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)
        else:
            log.warning("Events can't be delivered to this kind of target: %s", target["Arn"])

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            self._queue_urls[arn] = self._clients.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return self._queue_urls[arn]


def batches(events: list[Body]) -> Iterator[list[str]]:
    """The events as JSON, in batches no larger than one call to SQS accepts."""
    batch: list[str] = []
    size = 0
    for event in events:
        text = json.dumps(event)
        if batch and (len(batch) == BATCH_EVENTS or size + len(text) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def read_rules(clients: Clients) -> list[Rule]:
    """The current rules that could match SageMaker's events."""
    client = clients.events
    found = [rule for page in client.get_paginator("list_rules").paginate() for rule in page["Rules"]]
    rules = []
    for rule in found:
        text = rule.get("EventPattern")
        if text and rule.get("State") != "DISABLED":
            pattern = json.loads(text)
            if matches_plainly(pattern.get("source", []), [SOURCE]) is not False:
                rules.append(Rule(text, pattern, client.list_targets_by_rule(Rule=rule["Name"])["Targets"]))
    return rules


def matches(clients: Clients, rule: Rule, event: Body) -> bool:
    """Whether the rule matches the event. EventBridge is called only for patterns with operators."""
    plainly = matches_plainly(rule.pattern, event)
    if plainly is None:
        return clients.events.test_event_pattern(EventPattern=rule.text, Event=json.dumps(event))["Result"]
    return plainly


def matches_plainly(pattern: Any, value: Any) -> bool | None:
    """Whether the value has one of the listed strings in every field that the pattern names.

    None if comparing strings can't decide that: the pattern has operators or numbers, or the value lists of objects.
    """
    if isinstance(pattern, Mapping):
        if not isinstance(value, Mapping) or any(name.startswith("$") for name in pattern):
            return None
        found = [matches_plainly(part, value.get(name)) for name, part in pattern.items()]
        return False if False in found else None if None in found else True
    choices = pattern if isinstance(pattern, list) else [pattern]
    values = value if isinstance(value, list) else [value]
    if not choices:
        return True
    if not all(isinstance(item, str) for item in choices) or any(isinstance(item, Mapping | list) for item in values):
        return None
    return any(item in choices for item in values)
