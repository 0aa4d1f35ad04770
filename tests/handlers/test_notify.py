"""Table stream → the e-mail."""

import json
from collections.abc import Callable
from dataclasses import replace

import boto3

from job_manager.domain import layout
from job_manager.domain.run import Run, RunState
from tests.handlers.deployed import Deployed, Event, failed

RUN_ID = "sb-3f9c1b7a5d2e8046-1"

Events = Callable[[str], Event]


def test_notify_sends_one_mail_about_a_run_that_ended(deployed: Deployed, event: Events) -> None:
    for _ in range(2):
        assert failed(deployed.invoke("Notify", event("run_ended"))) == []

    (mail,) = deployed.mails()
    assert mail["Subject"] == "Seedbed: a new best model, 94.1% accuracy on 17 test images"
    assert "玉米 (F1 0.91)" in mail["Message"]
    assert deployed.bucket.has(layout.notified(RUN_ID))


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
