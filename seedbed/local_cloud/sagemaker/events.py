"""State changes as EventBridge events, delivered through public calls only: PutEvents refuses `aws.*` sources."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clients import Clients
from .kinds import PROCESSING, TRAINING, TUNING, Body, Kind, Settings
from .store import Store

log = logging.getLogger(__name__)

SOURCE = "aws.sagemaker"
RULES_KEPT = 2.0
ATTEMPTS = 4

FIELDS = {
    TUNING: (
        "HyperParameterTuningJobName HyperParameterTuningJobArn HyperParameterTuningJobStatus HyperParameterTuningJobConfig"
        " TrainingJobDefinition CreationTime LastModifiedTime HyperParameterTuningEndTime TrainingJobStatusCounters"
        " ObjectiveStatusCounters FailureReason"
    ),
    TRAINING: (
        "TrainingJobName TrainingJobArn TrainingJobStatus SecondaryStatus HyperParameters AlgorithmSpecification RoleArn"
        " InputDataConfig OutputDataConfig ResourceConfig VpcConfig StoppingCondition CreationTime TrainingStartTime"
        " TrainingEndTime LastModifiedTime SecondaryStatusTransitions FailureReason"
    ),
    PROCESSING: (
        "ProcessingJobName ProcessingJobArn ProcessingJobStatus ProcessingInputs ProcessingOutputConfig ProcessingResources"
        " AppSpecification StoppingCondition Environment RoleArn CreationTime ProcessingStartTime ProcessingEndTime"
        " LastModifiedTime FailureReason ExitMessage"
    ),
}


def state_change(kind: Kind, body: Mapping[str, Any], tags: list[dict[str, str]], settings: Settings) -> Body:
    """The event SageMaker sends when a job's status changes. Times in its detail are epoch milliseconds."""
    detail = {field: _in_milliseconds(field, body[field]) for field in FIELDS[kind].split() if field in body}
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


class Courier:
    """Takes events from the store's outbox to the targets of the rules they match, in order, in a thread of its own.

    A delivery that keeps failing is logged and given up: SageMaker's events are best effort.
    """

    def __init__(self, store: Store, posted: threading.Event, clients: Clients) -> None:
        self._store = store
        self._posted = posted
        self._clients = clients
        self._closing = threading.Event()
        self._rules: list[Mapping[str, Any]] = []
        self._rules_read = 0.0
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
            for number, event in batch:
                self._deliver(event)
                if self._closing.is_set():
                    return
                self._store.delivered(number)
            if not batch:
                self._posted.wait(60)
                self._posted.clear()

    def _deliver(self, event: Body) -> None:
        for attempt in range(ATTEMPTS):
            try:
                for rule in self._matching(event):
                    self._send(rule, event)
                return
            except (BotoCoreError, ClientError) as error:
                fault = error
                self._rules_read = 0.0
                if self._closing.wait(0.2 * 2**attempt):
                    return
        log.warning("An event could not be delivered and is given up: %s %s", event["resources"][0], fault)

    def _matching(self, event: Body) -> list[Mapping[str, Any]]:
        if time.monotonic() - self._rules_read > RULES_KEPT:
            pages = self._clients.events.get_paginator("list_rules").paginate()
            self._rules = [rule for page in pages for rule in page["Rules"] if rule.get("EventPattern")]
            self._rules_read = time.monotonic()
        text = json.dumps(event)
        return [
            rule
            for rule in self._rules
            if rule.get("State") != "DISABLED"
            and _may_match(rule["EventPattern"], event)
            and self._clients.events.test_event_pattern(EventPattern=rule["EventPattern"], Event=text)["Result"]
        ]

    def _send(self, rule: Mapping[str, Any], event: Body) -> None:
        text = json.dumps(event)
        for target in self._clients.events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            service = target["Arn"].split(":")[2]
            if service == "sqs":
                self._clients.sqs.send_message(
                    QueueUrl=self._queue_url(target["Arn"]),
                    MessageBody=text,
                    **target.get("SqsParameters", {}),
                )
            elif service == "lambda":
                self._clients.functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)
            else:
                log.warning("Rule %s has a target this endpoint can't reach: %s", rule["Name"], target["Arn"])

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            self._queue_urls[arn] = self._clients.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return self._queue_urls[arn]


def _may_match(pattern: str, event: Body) -> bool:
    """False where the pattern names other sources or other detail types outright: it spares a call for each rule."""
    wanted = json.loads(pattern)
    for field in ("source", "detail-type"):
        choices = wanted.get(field)
        if choices and all(isinstance(choice, str) for choice in choices) and event[field] not in choices:
            return False
    return True
