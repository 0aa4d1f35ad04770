"""State changes as EventBridge events, delivered through public calls only: PutEvents refuses `aws.*` sources."""

import json
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients
from .kinds import PROCESSING, TRAINING, TUNING, Body, Kind, Settings
from .store import Store

log = logging.getLogger(__name__)

SOURCE = "aws.sagemaker"
ATTEMPTS = 4

FIELDS = {
    TUNING: [
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition",
        "TrainingJobDefinitions",
        "CreationTime",
        "LastModifiedTime",
        "HyperParameterTuningEndTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
        "FailureReason",
    ],
    TRAINING: [
        "TrainingJobName",
        "TrainingJobArn",
        "TrainingJobStatus",
        "SecondaryStatus",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "VpcConfig",
        "StoppingCondition",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "SecondaryStatusTransitions",
        "FailureReason",
    ],
    PROCESSING: [
        "ProcessingJobName",
        "ProcessingJobArn",
        "ProcessingJobStatus",
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingResources",
        "AppSpecification",
        "StoppingCondition",
        "Environment",
        "RoleArn",
        "CreationTime",
        "ProcessingStartTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "FailureReason",
        "ExitMessage",
    ],
}


def state_change(kind: Kind, body: Mapping[str, Any], tags: list[dict[str, str]], settings: Settings) -> Body:
    """The event SageMaker sends when a job's status changes. Times in its detail are epoch milliseconds."""
    detail = {field: _in_milliseconds(field, body[field]) for field in FIELDS[kind] if field in body}
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind.event,
        "source": SOURCE,
        "account": settings.account,
        "time": datetime.fromtimestamp(body["LastModifiedTime"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": settings.region,
        "resources": [body[kind.arn_field]],
        "detail": detail,
    }


def _in_milliseconds(field: str, value: Any) -> Any:
    if field.endswith("Time"):
        return int(value * 1000)
    if field == "SecondaryStatusTransitions":
        return [{name: _in_milliseconds(name, item) for name, item in step.items()} for step in value]
    return value


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule: its pattern, and its targets as EventBridge lists them."""

    pattern: str
    targets: Sequence[Mapping[str, Any]]


class Courier:
    """Takes events from the store's outbox to the targets of the rules they match, in order, in a thread of its own.

    A delivery that keeps failing is logged and given up: SageMaker's events are best effort.
    """

    def __init__(self, store: Store, posted: threading.Event, clients: Clients) -> None:
        self._store = store
        self._posted = posted
        self._clients = clients
        self._closing = threading.Event()
        self._rules: list[Rule] | None = None
        self._queue_urls: dict[str, str] = {}
        self._thread = threading.Thread(target=self._work, name="sagemaker-events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Events not delivered by then stay in the outbox for the next start."""
        self._closing.set()
        self._posted.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        while not self._closing.is_set():
            batch = self._store.posted(100)
            self._rules = None
            for number, event in batch:
                try:
                    self._deliver(event)
                except Exception:
                    log.exception("An event could not be delivered and is given up: %s", event["resources"][0])
                if self._closing.is_set():
                    return
                self._store.delivered(number)
            if not batch:
                self._posted.wait(60)
                self._posted.clear()

    def _deliver(self, event: Body) -> None:
        for attempt in range(ATTEMPTS):
            try:
                if self._rules is None:
                    self._rules = self._read_rules()
                for rule in self._rules:
                    if self._matches(rule, event):
                        for target in rule.targets:
                            self._send(target, event)
                return
            except (BotoCoreError, ClientError) as error:
                fault = error
                self._rules = None
                if self._closing.wait(0.2 * 2**attempt):
                    return
        log.warning("An event could not be delivered and is given up: %s %s", event["resources"][0], fault)

    def _read_rules(self) -> list[Rule]:
        """The rules that could match SageMaker's events, as they are now."""
        client = self._clients.events
        pages = client.get_paginator("list_rules").paginate()
        return [
            Rule(rule["EventPattern"], client.list_targets_by_rule(Rule=rule["Name"])["Targets"])
            for page in pages
            for rule in page["Rules"]
            if rule.get("EventPattern")
            and rule.get("State") != "DISABLED"
            and _names(rule["EventPattern"], "source", SOURCE)
        ]

    def _matches(self, rule: Rule, event: Body) -> bool:
        if not _names(rule.pattern, "detail-type", event["detail-type"]):
            return False
        return self._clients.events.test_event_pattern(EventPattern=rule.pattern, Event=json.dumps(event))["Result"]

    def _send(self, target: Mapping[str, Any], event: Body) -> None:
        text = json.dumps(event)
        service = target["Arn"].split(":")[2]
        if service == "sqs":
            url = self._queue_url(target["Arn"])
            self._clients.sqs.send_message(QueueUrl=url, MessageBody=text, **target.get("SqsParameters", {}))
        elif service == "lambda":
            self._clients.functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)
        else:
            log.warning("An event can't be delivered to this kind of target: %s", target["Arn"])

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            self._queue_urls[arn] = self._clients.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return self._queue_urls[arn]


def _names(pattern: str, field: str, value: str) -> bool:
    """False where the pattern names others outright, and not `value`: that spares asking EventBridge."""
    choices = json.loads(pattern).get(field)
    return not choices or value in choices or not all(isinstance(choice, str) for choice in choices)
