"""Stacks of CloudFormation: what state one is in, how it is changed by a change set, and how it is deleted."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from ..terminal.aws_errors import sentence_of
from ..terminal.text import printable
from ..watch.stage import StageProgress
from .stack_state import ABSENT, OWN_TAG, StackState, state_of

POLL_SECONDS = 3.0
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
UNCHANGED = ("didn't contain changes", "No updates are to be performed")
CONSEQUENCES = ("cancelled", "failed to create: [")
"""What CloudFormation says of a resource that ended only because another had failed."""
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
DELETED = {"DELETE_COMPLETE"}
FAILURES_SHOWN = 5
AGAIN = "Put that right, then run this again."

Show = Callable[[StageProgress], None]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """A stack that CloudFormation is at work on: how many resources it changes, and which event was the last before."""

    stage: str
    name: str
    stack_id: str
    total: int
    last: str


class Stacks:
    """The stacks of an account and region. `show` is told how far a stage is, `tell` what a person should read."""

    def __init__(self, cloudformation: Any, show: Show, tell: Tell) -> None:
        self._aws = cloudformation
        self._show = show
        self._tell = tell

    def find(self, name: str) -> StackState | None:
        """The stack of this name or id; None if there is none, or only one that was never created."""
        try:
            described = self._aws.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return state_of(described) if described["StackStatus"] not in ABSENT else None

    def deployed_defaults(self, name: str) -> dict[str, str]:
        """The defaults of the parameters in the template that a stack was deployed from."""
        summary = self._aws.get_template_summary(StackName=name)
        return {each["ParameterKey"]: each.get("DefaultValue", "") for each in summary["Parameters"]}

    def apply(self, stage: str, name: str, parameters: Mapping[str, str], **template: str) -> StackState:
        """Create or update a stack, and wait. Raises SeedbedError, with the reasons told, if that fails."""
        before = self.find(name)
        tags = {"project": "seedbed", "stack": name, OWN_TAG: name}
        change: dict[str, Any] = {
            "StackName": name,
            "ChangeSetName": f"seedbed-{uuid.uuid4().hex}",
            "ChangeSetType": "UPDATE" if before else "CREATE",
            "Capabilities": CAPABILITIES,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            **template,
            **({} if before else {"OnStackFailure": "DELETE"}),
        }
        self._show(StageProgress(stage, note="comparing"))
        created = self._aws.create_change_set(**change)
        changes = self._changes(created["Id"], created["StackId"], bool(before))
        if changes:
            begun = self._begin(stage, name, created["StackId"], changes)
            self._aws.execute_change_set(ChangeSetName=created["Id"], StackName=created["StackId"])
            self._follow(begun, "deployed", DONE)
        found = self.find(created["StackId"])
        if found is None:
            raise SeedbedError(f"The stack {name} was deleted while it was being deployed. Run this again.")
        return found

    def delete(self, stage: str, found: StackState) -> None:
        """Delete a stack, and wait. Raises SeedbedError, with the reasons told, if that fails."""
        begun = self._begin(stage, found.name, found.stack_id, len(self.resources(found.stack_id)))
        self._aws.delete_stack(StackName=found.stack_id)
        self._follow(begun, "deleted", DELETED)

    def resources(self, stack: str) -> list[tuple[str, str]]:
        """The type and the physical name of each resource that a stack has."""
        pages = self._aws.get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [each for page in pages for each in page["StackResourceSummaries"]]
        return [
            (each["ResourceType"], each["PhysicalResourceId"])
            for each in found
            if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def _changes(self, change_set: str, stack_id: str, existed: bool) -> int:
        """How many resources a change set changes, once it is ready. Raises SeedbedError if it is refused."""
        while True:
            described = self._aws.describe_change_set(ChangeSetName=change_set, StackName=stack_id)
            if described["Status"] == "CREATE_COMPLETE":
                return max(1, len(described["Changes"]))
            if described["Status"] == "FAILED":
                break
            time.sleep(POLL_SECONDS)
        reason = described.get("StatusReason", "")
        if any(words in reason for words in UNCHANGED):
            self._aws.delete_change_set(ChangeSetName=change_set, StackName=stack_id)
            return 0
        reasons = [*self._validation(ChangeSetName=change_set)] or [reason]
        if not existed:
            self._aws.delete_stack(StackName=stack_id)
        raise SeedbedError(f"CloudFormation refuses the template. {self._told(reasons)} {AGAIN}")

    def _begin(self, stage: str, name: str, stack_id: str, total: int) -> Change:
        """What is about to be changed."""
        last = next((str(event["EventId"]) for event in self._events(stack_id)), "")
        return Change(stage, name, stack_id, total, last)

    def _follow(self, change: Change, verb: str, good: set[str]) -> None:
        """Show how far a stack is until it has ended. Raises SeedbedError, with the reasons told, if it failed."""
        while True:
            status = self._aws.describe_stacks(StackName=change.stack_id)["Stacks"][0]["StackStatus"]
            events = list(takewhile(lambda event: event["EventId"] != change.last, self._events(change.stack_id)))
            own = [event for event in events if event.get("PhysicalResourceId") != change.stack_id]
            ended = {event["LogicalResourceId"] for event in own if event["ResourceStatus"].endswith("_COMPLETE")}
            self._show(StageProgress(change.stage, min(len(ended), change.total), change.total, note_of(own)))
            if events and (status in good or not status.endswith("_IN_PROGRESS")):
                break
            time.sleep(POLL_SECONDS)
        if status in good:
            return
        reasons = [*failures(reversed(own)), *self._validation(StackName=change.stack_id)] or [f"Its state is {status}"]
        raise SeedbedError(f"The stack {change.name} could not be {verb}. {self._told(reasons)} {AGAIN}")

    def _told(self, reasons: list[str]) -> str:
        """The first reason as a sentence, once the others are told."""
        for reason in reasons[1:FAILURES_SHOWN]:
            self._tell(f"  {reason}")
        return sentence_of(reasons[0])

    def _validation(self, **of: str) -> Iterator[str]:
        """What CloudFormation found before it touched anything, such as a name that is taken."""
        with suppress(ClientError):  # who may not ask for that still reads the rest
            for page in self._aws.get_paginator("describe_events").paginate(**of):
                for event in page["OperationEvents"]:
                    if event.get("ValidationStatus") == "FAILED":
                        yield reason_of(event, event.get("ValidationStatusReason", ""))

    def _events(self, stack_id: str) -> Iterator[dict[str, Any]]:
        """What has happened to a stack, latest first."""
        for page in self._aws.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            yield from page["StackEvents"]


def failures(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Each resource that failed by itself, with CloudFormation's reason."""
    for event in events:
        reason = event.get("ResourceStatusReason", "")
        if "FAILED" in event["ResourceStatus"] and not any(words in reason for words in CONSEQUENCES):
            yield reason_of(event, reason)


def reason_of(event: Mapping[str, Any], reason: str) -> str:
    """A resource, and what CloudFormation says of it."""
    resource, kind = event.get("LogicalResourceId", "a resource"), event.get("ResourceType", "of unknown type")
    return printable(f"{resource} ({kind}): {' '.join(reason.split())}")


def note_of(events: list[dict[str, Any]]) -> str:
    """The resource that something happened to last."""
    return str(events[0]["LogicalResourceId"]) if events else ""
