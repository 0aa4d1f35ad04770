"""What a target of a rule gets of an event: all of it, a part, a fixed text, or a template with the event's values."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services.eventbridge import _render_input_template
from ministack.services.stepfunctions import _resolve_path

from ..kinds import Body


def target_input(target: Mapping[str, Any], event: Body, rule: Mapping[str, Any]) -> str:
    """The text that the target gets. rule: its Name and Arn.

    An InputPath that the event doesn't have gives the whole event, and such a variable of a template an empty string.
    """
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule)
    if "Input" in target:
        return str(target["Input"])
    part = _resolve_path(target.get("InputPath", "$"), event)
    return json.dumps(event if part is None else part)


def _transformed(transformer: Mapping[str, Any], event: Body, rule: Mapping[str, Any]) -> str:
    values = {name: _resolve_path(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-name": rule["Name"],
        "aws.events.rule-arn": rule["Arn"],
        "aws.events.event.ingestion-time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    known = {name: "" if value is None else value for name, value in values.items()}
    return str(_render_input_template(transformer["InputTemplate"], known))
