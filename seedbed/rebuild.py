"""Fills the table again: it is an index of what the bucket holds and SageMaker lists."""

import json
from typing import Any

from .bundle import TEMPLATE
from .errors import SeedbedError
from .stack import Stack
from .terminal.system_errors import full_sentence

GONE_ON_AWS = (
    "The table {table} is gone. Have CloudFormation create it again with a change set whose deployment mode is "
    "REVERT_DRIFT, then run this again."
)

# The settings that a new mapping takes from the old one.
COPIED = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
)


def rebuild(stack: Stack) -> list[str]:
    """Add the runs that are missing from the table, and return their ids. A run in progress continues.

    A deleted table is created again on this machine. Raises SeedbedError on AWS, where only CloudFormation may do that,
    and if the function fails.
    """
    table = stack.outputs["TableName"]
    dynamodb = stack.client("dynamodb")
    try:
        dynamodb.describe_table(TableName=table)
    except dynamodb.exceptions.ResourceNotFoundException:
        if stack.endpoint is None:
            raise SeedbedError(GONE_ON_AWS.format(table=table)) from None
        dynamodb.create_table(TableName=table, **table_in_template())
        dynamodb.get_waiter("table_exists").wait(TableName=table)
    if stack.endpoint is not None:
        follow_stream(stack, table)
    function = stack.outputs["ReconcileFunction"]
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=b'{"rebuild": true}')
    result = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        raise SeedbedError(failure(function, result))
    runs: list[str] = result["rebuilt"]
    return runs


def failure(function: str, result: Any) -> str:
    """Why the function failed, in a sentence."""
    reason = str(result.get("errorMessage", "")) if isinstance(result, dict) else ""
    if "No space left" in reason:
        return full_sentence()
    return f"The function {function} failed: {reason.rstrip('.')}. Run this again in a minute; its log says more."


def follow_stream(stack: Stack, table: str) -> None:
    """Have this table's stream call the functions that an earlier table's stream called.

    Each mapping is deleted only after its successor exists, so an interrupted attempt is completed by the next.
    """
    functions = stack.client("lambda")
    stream = stack.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    called = {mapping["FunctionArn"] for mapping in mappings if mapping["EventSourceArn"] == stream}
    for old in mappings:
        if old["EventSourceArn"] == stream or f":table/{table}/stream/" not in old["EventSourceArn"]:
            continue
        if old["FunctionArn"] not in called:
            functions.create_event_source_mapping(
                EventSourceArn=stream,
                FunctionName=old["FunctionArn"],
                StartingPosition="TRIM_HORIZON",
                **{name: old[name] for name in COPIED if old.get(name)},
            )
        functions.delete_event_source_mapping(UUID=old["UUID"])


def table_in_template() -> dict[str, Any]:
    """The table in template.yaml as the arguments of CreateTable."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415  takes a second to load, for this only

    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    properties: dict[str, Any] = template["Resources"]["Table"]["Properties"]
    del properties["PointInTimeRecoverySpecification"]  # set by a call of its own, which a local table does not need
    return {**properties, "StreamSpecification": {"StreamEnabled": True, **properties["StreamSpecification"]}}
