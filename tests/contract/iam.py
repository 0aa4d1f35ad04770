"""Which IAM actions each function has, and which it can come to need: by reading its code, every path of it."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from tests.contract.template import ROOT, Template

PACKAGE = ROOT / "functions" / "job_manager"
PREDICTOR = ROOT / "predictions" / "predictor"
ADAPTERS = {
    "bucket": ("s3", "S3Bucket", "s3.py"),
    "runs": ("dynamodb", "DynamoDBRuns", "dynamodb.py"),
    "jobs": ("sagemaker", "SageMakerJobs", "sagemaker.py"),
    "logs": ("logs", "CloudWatchLogs", "logs.py"),
    "timer": ("sqs", "SQSSettleTimer", "sqs.py"),
    "announcer": ("sns", "SNSAnnouncer", "sns.py"),
}
READING = frozenset({"s3:GetObject", "s3:ListBucket"})  # without the second, S3 says 403 of what is not there
DIFFERENT = {"s3:ListObjectsV2": frozenset({"s3:ListBucket"}), "s3:HeadObject": READING, "s3:GetObject": READING}
NOT_OPERATIONS = {"exceptions", "generate_presigned_url", "get_paginator", "meta"}
NAMES_OPERATION = {"self._client.get_paginator", "self._client.generate_presigned_url"}
TRANSACTION_PARTS = ("Put", "Delete", "Update")

Functions = Mapping[str, ast.AST]


def actions_of(service: str, operation: str) -> frozenset[str]:
    """The IAM actions that an API operation needs."""
    name = f"{service}:{operation}"
    return DIFFERENT.get(name, frozenset({name}))


def granted(template: Template, function: str) -> frozenset[str]:
    """The actions which the template allows a function."""
    actions: set[str] = set()
    for policy in template.functions[function]["Policies"]:
        for statement in policy["Statement"]:
            actions |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return frozenset(actions)


def needed(template: Template, function: str) -> frozenset[str]:
    """The actions that a function's code can come to."""
    if template.functions[function]["CodeUri"] == "predictions/":
        return frozenset(action for path in PREDICTOR.glob("*.py") for action in actions_in(parse(path)))
    module = parse(ROOT / "functions" / (template.functions[function]["Handler"].split(".")[0] + ".py"))
    return frozenset(action for port, method in steps_used(module) for action in actions_of_port(port, method))


def actions_in(module: ast.AST) -> Iterator[str]:
    """The actions that a module of predictions needs, which calls S3's client and the table of runs itself."""
    for name in {dotted(node) for node in ast.walk(module)}:
        parts = name.split(".")
        if name.startswith("self._s3.") and len(parts) == 3 and parts[2] not in NOT_OPERATIONS:
            yield from actions_of("s3", api_name("s3", parts[2]))
        elif name.startswith("self._runs.") and len(parts) == 3:
            yield from actions_of_port("runs", parts[2])


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def steps_used(handler: ast.Module) -> set[tuple[str, str]]:
    """The (port, method) pairs that a function file's steps reach."""
    used: set[tuple[str, str]] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [
        (node.module.removeprefix("job_manager.steps."), alias.name)
        for node in handler.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("job_manager.steps.")
        for alias in node.names
        if node.module
    ]
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            body = definitions(step_file(step[0])).get(step[1])
            if body:
                used |= set(port_calls(body))
                waiting += names_in(step[0], body)
    return used


@cache
def definitions(path: Path) -> Functions:
    """A module's functions and constants by name."""
    found: dict[str, ast.AST] = {}
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name):
                found[target.id] = node
    return found


def names_in(module: str, body: ast.AST) -> list[tuple[str, str]]:
    """Where the names that a step uses are defined, as (module of steps/, dotted below it, name)."""
    parts = module.split(".")
    imported = {
        alias.name: ".".join([*parts[: -node.level], node.module or ""])
        for node in parse(step_file(module)).body
        if isinstance(node, ast.ImportFrom) and 1 <= node.level <= len(parts)
        for alias in node.names
    }
    names = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    return [(imported.get(name, module), name) for name in names]


def step_file(module: str) -> Path:
    """The file of a module of steps/."""
    return PACKAGE / "steps" / f"{module.replace('.', '/')}.py"


def port_calls(body: ast.AST) -> Iterator[tuple[str, str]]:
    """`ports.runs.get` and, where a step is given one port alone, `runs.get`."""
    for node in ast.walk(body):
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name) and owner.value.id == "ports":
                yield owner.attr, node.attr
            elif isinstance(owner, ast.Name) and owner.id in ADAPTERS:
                yield owner.id, node.attr


def actions_of_port(port: str, method: str) -> Iterator[str]:
    if port not in ADAPTERS:
        return
    service, name, file = ADAPTERS[port]
    (adapter,) = (node for node in parse(PACKAGE / "aws" / file).body if is_class(node, name))
    methods = {node.name: node for node in ast.walk(adapter) if isinstance(node, ast.FunctionDef)}
    for operation in operations(method, methods):
        if operation == "transact_write_items":
            yield from (f"dynamodb:{part}Item" for part in transaction_parts(methods[method]))
        else:
            yield from actions_of(service, api_name(service, operation))


def is_class(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == name


def operations(method: str, methods: Mapping[str, ast.FunctionDef]) -> set[str]:
    """The client's methods that an adapter's method calls, itself or through others of its class."""
    found: set[str] = set()
    for node in ast.walk(methods[method]):
        name = dotted(node)
        if name.startswith("self._client.") and name.count(".") == 2 and name.split(".")[2] not in NOT_OPERATIONS:
            found.add(name.split(".")[2])
        elif isinstance(node, ast.Call) and dotted(node.func) in NAMES_OPERATION:
            found.add(ast.literal_eval(node.args[0]))
        elif name.startswith("self.") and name.split(".")[1] in methods.keys() - {method}:
            found |= operations(name.split(".")[1], methods)
    return found


def dotted(node: ast.AST) -> str:
    """A chain of attributes as it is written; empty for anything else."""
    return ast.unparse(node) if isinstance(node, ast.Attribute) else ""


def transaction_parts(method: ast.FunctionDef) -> set[str]:
    constants = {node.value for node in ast.walk(method) if isinstance(node, ast.Constant)}
    return {part for part in TRANSACTION_PARTS if part in constants}


@cache
def api_name(service: str, method: str) -> str:
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    return str(client.meta.method_to_api_mapping[method])
