"""EventBridge's rules: which of them an event matches."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .clients import Clients
from .kinds import Body
from .records.state_change import SOURCE


@dataclass(frozen=True)
class Rule:
    """A rule's pattern, as its text and as what that says, and its targets as EventBridge lists them."""

    text: str
    pattern: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]


def read_rules(clients: Clients) -> list[Rule]:
    """The rules that could match SageMaker's events, as they are now."""
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
    """Decided here where the pattern has no operators, which spares asking EventBridge."""
    plainly = matches_plainly(rule.pattern, event)
    if plainly is None:
        return clients.events.test_event_pattern(EventPattern=rule.text, Event=json.dumps(event))["Result"]
    return plainly


def matches_plainly(pattern: Any, value: Any) -> bool | None:
    """Whether the value has one of the texts that the pattern lists, at every place it names.

    None where that takes more than comparing texts: operators, numbers, or lists of objects.
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
