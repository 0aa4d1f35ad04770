"""The table filled anew: it is an index of what the bucket keeps and SageMaker knows."""

import json
from typing import Any

from .bundle import TEMPLATE
from .errors import SeedbedError
from .stack import Stack

GONE_ON_AWS = (
    "The table {table} is gone. Have CloudFormation make it anew with a change set whose deployment mode is "
    "REVERT_DRIFT, then say this again."
)

# What a mapping keeps of the one before it.
MAPPED = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
)


def rebuild(stack: Stack) -> list[str]:
    """The runs that the table lacked and has now; one that goes on goes on.

    A table that was deleted is made again on this machine; on AWS, where only CloudFormation may do that, SeedbedError
    says so.
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
    said = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        raise SeedbedError(f"The function {function} failed: {said}. Say this again in a minute; its log says more.")
    runs: list[str] = said["rebuilt"]
    return runs


def follow_stream(stack: Stack, table: str) -> None:
    """The functions that an earlier table's stream called are called by this one's.

    Repeatable: a mapping goes only when the one after it is there, so an attempt that died is finished by the next.
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
                **{name: old[name] for name in MAPPED if old.get(name)},
            )
        functions.delete_event_source_mapping(UUID=old["UUID"])


def table_in_template() -> dict[str, Any]:
    """The table of template.yaml as CreateTable wants it."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415  takes a second to load, and AWS needs no table made

    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    properties: dict[str, Any] = template["Resources"]["Table"]["Properties"]
    return {**properties, "StreamSpecification": {"StreamEnabled": True, **properties["StreamSpecification"]}}
