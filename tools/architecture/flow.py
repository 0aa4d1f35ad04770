"""What wakes each function of template.yaml, and what the function writes, sends and starts."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from .floors import ROOT
from .rooms import FUNCTIONS

SERVICES = {"aws.s3": "Bucket", "aws.sagemaker": "SageMaker", "sagemaker": "SageMaker"}
STORES = {"dynamodb", "s3", "sns", "sqs"}
READING = ("Get", "Query", "List", "Describe")
QUIET = {"sagemaker:AddTags"}


@dataclass(frozen=True)
class Step:
    """One function: the chain that wakes it, what its module says of it, and the resources that it changes or reads."""

    name: str
    wakes: list[str]
    purpose: str
    changes: list[str]
    reads: list[str]


def steps(root: Path = ROOT) -> list[Step]:
    """The functions in the template's order, which is an upload's."""
    resources: dict[str, Any] = yaml_parse((root / "template.yaml").read_text(encoding="utf-8"))["Resources"]
    return [
        step(root, name, resources) for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"
    ]


def step(root: Path, name: str, resources: dict[str, Any]) -> Step:
    properties = resources[name]["Properties"]
    module = properties["Handler"].split(".")[0]
    text = (root / properties.get("CodeUri", FUNCTIONS) / f"{module}.py").read_text(encoding="utf-8")
    changed, read = touched(properties, resources)
    events = properties.get("Events", {}).items()
    woken = [one for event_name, event in events for one in woken_by(event_name, event, resources)]
    wakes = woken or [*called_through(name, resources)]
    purpose = ast.get_docstring(ast.parse(text)) or ""
    changes = [target for target in changed if target not in dead_letter_queues(resources)]
    return Step(module, wakes, purpose, changes, [target for target in read if target not in changed])


def woken_by(name: str, event: dict[str, Any], resources: dict[str, Any]) -> Iterator[str]:
    """The chain of resources from an event's source to the function."""
    place = event["Properties"]
    match event["Type"]:
        case "SQS":
            queue = first_reference(place["Queue"])
            yield from rule_sources(queue, resources)
            yield queue
        case "DynamoDB":
            yield first_reference(place["Stream"])
        case _:
            yield name


def rule_sources(queue: str, resources: dict[str, Any]) -> Iterator[str]:
    """The services whose events a rule brings to the queue."""
    for one in resources.values():
        if one["Type"] == "AWS::Events::Rule" and queue in map(first_reference, one["Properties"]["Targets"]):
            yield from (SERVICES[source] for source in one["Properties"]["EventPattern"]["source"])


def called_through(function: str, resources: dict[str, Any]) -> Iterator[str]:
    """The HTTP API whose integration calls the function."""
    for one in resources.values():
        if one["Type"].endswith("::Integration") and first_reference(one["Properties"]["IntegrationUri"]) == function:
            yield first_reference(one["Properties"]["ApiId"])


def touched(properties: dict[str, Any], resources: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What a function's policies let it change, and what they let it read."""
    changed: dict[str, None] = {}
    read: dict[str, None] = {}
    for policy in properties.get("Policies", []):
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            for action in actions:
                service, verb = action.split(":")
                known = service in STORES
                target = first_reference(statement["Resource"]) if known else SERVICES.get(service, "")
                if target and action not in QUIET and (not known or target in resources):
                    (read if verb.startswith(READING) else changed)[target] = None
    return list(changed), list(read)


def dead_letter_queues(resources: dict[str, Any]) -> set[str]:
    """The queues that take what could not be delivered: the picture leaves them out."""
    return {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue" and not is_work(one)}


def is_work(queue: dict[str, Any]) -> bool:
    return "RedrivePolicy" in queue["Properties"]


def first_reference(value: Any) -> str:
    """The first resource that a value refers to, pseudo parameters aside; empty for none."""
    return next((name for name in references(value) if not name.startswith("AWS::")), "")


def references(value: Any) -> Iterator[str]:
    """Every name that a value refers to through Ref, GetAtt or Sub."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for name, argument in value.items():
            match name:
                case "Ref":
                    yield argument
                case "Fn::GetAtt":
                    yield argument[0] if isinstance(argument, list) else argument.split(".")[0]
                case "Fn::Sub":
                    yield from (found.split(".")[0] for found in re.findall(r"\$\{([^}!]+)\}", argument))
                case _:
                    yield from references(argument)
