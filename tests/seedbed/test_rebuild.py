"""`seedbed rebuild` calls the function, and explains failures."""

import io
import json
from collections.abc import Iterator
from unittest.mock import MagicMock

import boto3
import pytest
from moto import mock_aws

from seedbed.errors import SeedbedError
from seedbed.rebuild import rebuild, table_in_template
from seedbed.stack import Stack

OUTPUTS = {"TableName": "runs", "ReconcileFunction": "reconcile"}
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/runs/stream/"
MAPPING = {
    "UUID": "u",
    "EventSourceArn": f"{ARN}2026-01-01",
    "FunctionArn": "notify",
    "BatchSize": 10,
    "State": "Enabled",
}
OF_A_QUEUE = {"UUID": "q", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:runs", "FunctionArn": "note"}
RUN_ID = "sb-3f9c1b7a5d2e8046-1"


@pytest.fixture
def function() -> MagicMock:
    """A Lambda client whose function answers that it restored a run."""
    client = MagicMock()
    client.invoke.return_value = {"Payload": io.BytesIO(json.dumps({"rebuilt": [RUN_ID]}).encode())}
    client.list_event_source_mappings.return_value = {"EventSourceMappings": [MAPPING, OF_A_QUEUE]}
    return client


@pytest.fixture
def on_aws(function: MagicMock) -> Iterator[Stack]:
    with mock_aws():
        yield Stack(boto3.Session(region_name="us-east-1"), None, OUTPUTS, {"lambda": function})


@pytest.fixture
def local(on_aws: Stack) -> Stack:
    """A stack that seems to be on this machine."""
    clients = {"lambda": on_aws.client("lambda"), "dynamodb": on_aws.client("dynamodb")}
    return Stack(on_aws.session, "http://127.0.0.1:1", OUTPUTS, clients)


def test_rebuild_returns_the_restored_runs(on_aws: Stack, function: MagicMock) -> None:
    on_aws.client("dynamodb").create_table(TableName="runs", **table_in_template())

    assert rebuild(on_aws) == [RUN_ID]
    function.invoke.assert_called_once_with(FunctionName="reconcile", Payload=b'{"rebuild": true}')


def test_a_deleted_table_is_made_again_on_this_machine(local: Stack, function: MagicMock) -> None:
    assert rebuild(local) == [RUN_ID]

    table = local.client("dynamodb").describe_table(TableName="runs")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_time"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    function.delete_event_source_mapping.assert_called_once_with(UUID="u")
    function.create_event_source_mapping.assert_called_once_with(
        EventSourceArn=table["LatestStreamArn"], FunctionName="notify", StartingPosition="TRIM_HORIZON", BatchSize=10
    )


def test_an_interrupted_rebuild_is_completed_by_the_next(local: Stack, function: MagicMock) -> None:
    local.client("dynamodb").create_table(TableName="runs", **table_in_template())

    rebuild(local)

    stream = local.client("dynamodb").describe_table(TableName="runs")["Table"]["LatestStreamArn"]
    assert function.create_event_source_mapping.call_args.kwargs["EventSourceArn"] == stream
    function.delete_event_source_mapping.assert_called_once_with(UUID="u")


def test_a_stream_with_a_mapping_gets_no_second_one(local: Stack, function: MagicMock) -> None:
    local.client("dynamodb").create_table(TableName="runs", **table_in_template())
    stream = local.client("dynamodb").describe_table(TableName="runs")["Table"]["LatestStreamArn"]
    followed = {**MAPPING, "UUID": "new", "EventSourceArn": stream}
    function.list_event_source_mappings.return_value = {"EventSourceMappings": [MAPPING, followed]}

    rebuild(local)

    function.create_event_source_mapping.assert_not_called()
    function.delete_event_source_mapping.assert_called_once_with(UUID="u")


def test_a_deleted_table_on_aws_is_left_to_cloudformation(on_aws: Stack, function: MagicMock) -> None:
    with pytest.raises(SeedbedError, match=r"runs is gone\. .*REVERT_DRIFT"):
        rebuild(on_aws)

    function.invoke.assert_not_called()


def test_a_failed_function_is_reported(local: Stack, function: MagicMock) -> None:
    failure = {"errorMessage": "Task timed out after 60.00 seconds"}
    function.invoke.return_value = {
        "Payload": io.BytesIO(json.dumps(failure).encode()),
        "FunctionError": "Unhandled",
    }

    with pytest.raises(SeedbedError, match=r"reconcile failed: .*timed out"):
        rebuild(local)
