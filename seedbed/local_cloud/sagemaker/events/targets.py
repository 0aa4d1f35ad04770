"""The targets of EventBridge's rules: how each kind of them gets an event."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from ..clients import Clients
from ..kinds import Body

Target = Mapping[str, Any]
Rule = Mapping[str, Any]


class Targets:
    """Sends events to targets by direct calls, because PutEvents refuses the sources `aws.*`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._queue_urls: dict[str, str] = {}
        self._kinds: dict[str, Callable[[Target, str], Any]] = {
            "lambda": self._to_function,
            "logs": self._to_log,
            "sns": self._to_topic,
            "sqs": self._to_queue,
            "states": self._to_state_machine,
        }

    def send(self, target: Target, text: str, event: Body, rule: Rule) -> None:
        """Sends the text that a target is to get of an event. rule: its Name and Arn.

        Raises BotoCoreError or ClientError if the target doesn't take it, LookupError for an unknown kind of target.
        """
        service = target["Arn"].split(":")[2]
        if service == "events":
            self._to_bus_or_api(target, event, rule)
        elif service in self._kinds:
            self._kinds[service](target, text)
        else:
            raise LookupError(f"this endpoint doesn't send events to {service}")

    def send_dead_letter(self, arn: str, event: Body, attributes: Mapping[str, str]) -> None:
        """Puts an event that could not be delivered in a dead-letter queue, with what went wrong in its attributes."""
        texts: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
        self._clients.sqs.send_message(
            QueueUrl=self._queue_url(arn), MessageBody=json.dumps(event), MessageAttributes=texts
        )

    def _to_queue(self, target: Target, text: str) -> None:
        self._clients.sqs.send_message(
            QueueUrl=self._queue_url(target["Arn"]), MessageBody=text, **target.get("SqsParameters", {})
        )

    def _to_function(self, target: Target, text: str) -> None:
        self._clients.functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)

    def _to_topic(self, target: Target, text: str) -> None:
        self._clients.sns.publish(TopicArn=target["Arn"], Message=text)

    def _to_state_machine(self, target: Target, text: str) -> None:
        self._clients.states.start_execution(stateMachineArn=target["Arn"], input=text)

    def _to_log(self, target: Target, text: str) -> None:
        group, stream = target["Arn"].split(":log-group:")[1].removesuffix(":*"), str(uuid.uuid4())
        self._clients.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        entry: Any = {"timestamp": int(time.time() * 1000), "message": text}
        self._clients.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[entry])

    def _to_bus_or_api(self, target: Target, event: Body, rule: Rule) -> None:
        """Another event bus, or an API destination: only MiniStack's own EventBridge can deliver to those."""
        if ":event-bus/" in target["Arn"]:
            self._clients.events.describe_event_bus(Name=target["Arn"].split("/", 1)[1])
        record = {
            "EventId": event["id"],
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Time": event["time"],
            "Resources": event["resources"],
            "Account": event["account"],
            "Region": event["region"],
        }
        with request_scope(event["account"], event["region"]):
            eventbridge._invoke_target(target, record, {**rule, "EventBusName": "default"})

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queue_urls:
            self._queue_urls[arn] = self._clients.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return self._queue_urls[arn]
