"""Publishes the events of the store's outbox: which rules match them, and what happens when a target fails."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..clients import Clients
from ..kinds import Body
from ..records.state_change import SOURCE
from ..records.store import Store
from .target_input import target_input
from .targets import Target, Targets

log = logging.getLogger(__name__)

ATTEMPTS = 4
LINGER = 0.1
RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Rule:
    """A rule: its Name and Arn, its pattern as text and as parsed JSON, and its targets as EventBridge lists them."""

    names: Mapping[str, str]
    text: str
    pattern: Mapping[str, Any]
    targets: Sequence[Target]


class EventPublisher:
    """Sends the events in the store's outbox, in order and in its own thread, to the targets of the rules they match.

    A delivery that keeps failing is logged, and its event goes to the target's dead-letter queue if it has one:
    SageMaker's events are best effort.
    """

    def __init__(self, store: Store, posted: threading.Event, clients: Clients) -> None:
        self._store = store
        self._posted = posted
        self._clients = clients
        self._closing = threading.Event()
        self._targets = Targets(clients)
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
        rules: list[Rule] = []
        chosen: list[tuple[Body, Rule]] = []

        def choose() -> None:
            rules[:] = read_rules(self._clients)
            chosen[:] = [(event, rule) for event in events for rule in rules if matches(self._clients, rule, event)]

        fault = self._attempt(choose, ATTEMPTS)
        if fault is not None:
            log.warning("Events could not be delivered and are dropped: EventBridge's rules: %s", fault)
        for event, rule in chosen:
            for target in rule.targets:
                self._deliver_to(target, event, rule)

    def _deliver_to(self, target: Target, event: Body, rule: Rule) -> None:
        retries = min(target.get("RetryPolicy", {}).get("MaximumRetryAttempts", ATTEMPTS - 1), ATTEMPTS - 1)

        def send() -> None:
            self._targets.send(target, target_input(target, event, rule.names), event, rule.names)

        fault = self._attempt(send, retries + 1)
        if fault is None:
            return
        log.warning("An event could not be delivered to %s: %s", target["Arn"], fault)
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if queue:
            letter = dead_letter(target, rule, fault, retries)
            fault = self._attempt(lambda: self._targets.send_dead_letter(queue, event, letter), ATTEMPTS)
            if fault is not None:
                log.warning("The dead-letter queue %s does not take the event: %s", queue, fault)

    def _attempt(self, work: Callable[[], None], attempts: int) -> Exception | None:
        """Makes several attempts, unless the fault will stay. Returns the last fault, None after a success."""
        fault: Exception | None = None
        for attempt in range(attempts):
            try:
                work()
            except Exception as error:  # noqa: BLE001  also a template or an answer of the emulator that nobody foresaw
                fault = error
                if not passes(error) or self._closing.wait(0.2 * 2**attempt):
                    return fault
            else:
                return None
        return fault


def passes(error: Exception) -> bool:
    """Whether another attempt may succeed."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, BotoCoreError)


def dead_letter(target: Target, rule: Rule, fault: Exception, retries: int) -> dict[str, str]:
    """The attributes with which EventBridge puts an event in a dead-letter queue."""
    code = fault.response["Error"].get("Code", "") if isinstance(fault, ClientError) else type(fault).__name__
    retried = passes(fault)
    return {
        "RULE_ARN": rule.names["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": str(fault),
        "RETRY_ATTEMPTS": str(retries if retried else 0),
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts" if retried else "",
    }


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
                names = {"Name": rule["Name"], "Arn": rule["Arn"]}
                rules.append(Rule(names, text, pattern, client.list_targets_by_rule(Rule=rule["Name"])["Targets"]))
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
