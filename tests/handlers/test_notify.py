"""Table stream → the e-mail."""

import json
from collections.abc import Callable
from dataclasses import replace

import boto3
import msgspec
import pytest

from job_manager.domain import layout
from job_manager.domain.run import Run, RunState
from job_manager.settings import settings
from tests.handlers.deployed import Deployed, Event, failed

RUN_ID = "sb-3f9c1b7a5d2e8046-1"

Events = Callable[[str], Event]


def test_notify_sends_one_mail_about_a_run_that_ended(deployed: Deployed, event: Events) -> None:
    for _ in range(2):
        assert failed(deployed.invoke("Notify", event("run_ended"))) == []

    (mail,) = deployed.mails()
    assert mail["Subject"] == "Seedbed: the first model, 94.1% of 17 test images right"
    assert "玉米 (F1 0.91)" in mail["Message"]
    (event_,) = deployed.events()
    assert json.loads(event_["Message"])["subject"] == mail["Subject"]
    assert event_["MessageAttributes"]["kind"] == {"Type": "String", "Value": "finished"}
    assert deployed.bucket.has(layout.notified(RUN_ID))


@pytest.mark.parametrize("wanted", [True, False])
def test_notify_tells_of_a_start_as_the_stack_wants_it(
    deployed: Deployed, event: Events, run: Run, monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    monkeypatch.setenv("NOTIFY_START", str(wanted).lower())
    settings.cache_clear()
    batch = event("run_ended")
    batch["Records"][0]["dynamodb"]["NewImage"]["body"]["S"] = msgspec.json.encode(run).decode()

    assert failed(deployed.invoke("Notify", batch)) == []

    assert len(deployed.mails()) == int(wanted)
    (told,) = deployed.events()
    assert told["MessageAttributes"]["kind"]["Value"] == "started"


def test_notify_returns_a_malformed_record_alone(deployed: Deployed, event: Events) -> None:
    batch = event("run_ended")
    spoilt = json.loads(json.dumps(batch["Records"][0]))
    spoilt["dynamodb"]["NewImage"]["body"]["S"] = "{}"
    spoilt["dynamodb"]["SequenceNumber"] = "410270000000003586274292"
    batch["Records"].append(spoilt)

    assert failed(deployed.invoke("Notify", batch)) == ["410270000000003586274292"]
    assert len(deployed.mails()) == 1


def test_notify_reads_a_run_as_the_table_streams_it(deployed: Deployed, event: Events, run: Run) -> None:
    """What DynamoDBRuns writes is what notify reads, whatever the form."""
    deployed.runs.create(replace(run, state=RunState.FAILED, reason="The disk is full."))
    arn = boto3.client("dynamodb").describe_table(TableName="runs")["Table"]["LatestStreamArn"]
    streams = boto3.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    (record,) = [record for record in records if "kind" in record["dynamodb"]["NewImage"]]
    template = event("run_ended")["Records"][0]

    deployed.invoke("Notify", {"Records": [{**template, "dynamodb": record["dynamodb"]}]})

    assert [mail["Subject"] for mail in deployed.mails()] == ["Seedbed: the run failed: The disk is full."]
