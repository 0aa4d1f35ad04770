"""Asynchronous invocations: accepted at once, answered in S3 and by notifications, and none is lost."""

import base64
import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sagemaker.hosted import SERVERLESS, Hosted
from tests.sagemaker.test_targets import Queue
from tests.sagemaker.toy_endpoint import BUCKET

BOTH = ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
ONE_AT_A_TIME = {"MaxConcurrentInvocationsPerInstance": 1}


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    server = Hosted(tmp_path_factory.mktemp("queued") / "endpoint")
    server.deploy_async("later")
    yield server
    server.end()


class Topic:
    """A topic, and a queue that gets what is sent to it."""

    def __init__(self, hosting: Hosted, name: str) -> None:
        self._queue = Queue(hosting, name)
        self.arn = hosting.client("sns").create_topic(Name=name)["TopicArn"]
        hosting.client("sns").subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=self._queue.arn)

    def first(self) -> dict[str, Any]:
        """The first notification, once there is one."""
        message: dict[str, Any] = json.loads(json.loads(self._queue.first()["Body"])["Message"])
        return message


def test_an_answer_is_written_where_the_invocation_said(hosting: Hosted) -> None:
    answer = hosting.ask("later", b"hello", CustomAttributes="mine", Accept="text/csv", InferenceId="number 7")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "number 7"
    assert hosting.matches(r"s3://bench/later/out/[0-9a-f-]{36}\.out", answer["OutputLocation"])
    assert hosting.matches(r"s3://bench/later/failed/[0-9a-f-]{36}-error\.out", answer["FailureLocation"])

    seen = json.loads(hosting.content_of(answer["OutputLocation"]))
    assert (seen["name"], seen["said"]) == ("later", "hello")
    wanted = {"content-type": "text/plain", "accept": "text/csv", "content-length": "5"}
    own = {"x-amzn-sagemaker-inference-id": "number 7", "x-amzn-sagemaker-custom-attributes": "mine"}
    assert {name: seen["headers"].get(name) for name in {**wanted, **own}} == {**wanted, **own}
    key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    assert hosting.s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "application/json"


def test_the_payload_can_be_in_the_request_and_the_answer_have_a_name(hosting: Hosted) -> None:
    answer = hosting.runtime.invoke_endpoint_async(
        EndpointName="later", Body=b"inline", ContentType="text/csv", S3OutputPathExtension="a/b/", Filename="mine.json"
    )

    assert answer["OutputLocation"] == "s3://bench/later/out/a/b/mine.json"
    seen = json.loads(hosting.content_of(answer["OutputLocation"]))
    assert (seen["said"], seen["headers"]["content-type"]) == ("inline", "text/csv")


def test_an_answer_can_be_larger_than_that_of_an_invocation_that_is_waited_for(hosting: Hosted) -> None:
    assert len(hosting.content_of(hosting.ask("later", b"bytes 20000000")["OutputLocation"])) == 20_000_000
    large = hosting.ask("later", bytes(20_000_000))

    assert json.loads(hosting.content_of(large["OutputLocation"]))["size"] == 20_000_000


def test_a_failure_is_written_beside_the_answers(hosting: Hosted) -> None:
    refused = hosting.ask("later", b"refuse")
    assert hosting.content_of(refused["FailureLocation"]) == b"I don't like that"
    missing = hosting.runtime.invoke_endpoint_async(EndpointName="later", InputLocation=f"s3://{BUCKET}/nowhere")
    assert b"Data download failed: s3://bench/nowhere" in hosting.content_of(missing["FailureLocation"])

    broken = hosting.ask("later", b"crash")
    assert b"gave no whole answer" in hosting.content_of(broken["FailureLocation"])
    assert json.loads(hosting.content_of(hosting.ask("later")["OutputLocation"]))["said"] == "hello"


def test_topics_are_told_with_the_answer(hosting: Hosted) -> None:
    good, bad = Topic(hosting, "good"), Topic(hosting, "bad")
    topics = {"SuccessTopic": good.arn, "ErrorTopic": bad.arn, "IncludeInferenceResponseIn": BOTH}
    described = hosting.deploy_async("told", OutputConfig={"NotificationConfig": topics})
    assert described["AsyncInferenceConfig"]["OutputConfig"]["NotificationConfig"] == topics
    answer = hosting.ask("told", b"hello", ContentType="text/csv")

    told = good.first()
    assert hosting.matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("eventTime"))
    assert told.pop("receivedTime") < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    assert json.loads(base64.b64decode(told["responseBody"].pop("content")))["said"] == "hello"
    source = told["requestParameters"].pop("inputLocation")
    assert source.startswith("s3://bench/told/in/")
    assert told == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {"contentType": "text/csv", "endpointName": "told"},
        "responseParameters": {"contentType": "application/json", "outputLocation": answer["OutputLocation"]},
        "responseBody": {"encoding": "BASE64"},
        "inferenceId": answer["InferenceId"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    failed = hosting.ask("told", b"break")
    told = bad.first()
    assert (told["invocationStatus"], told["inferenceId"]) == ("Failed", failed["InferenceId"])
    assert told["failureReason"].startswith("ClientError: Received server error (500) from model.")
    assert base64.b64decode(told["responseBody"]["content"]) == b"it broke"


def test_an_answer_that_can_not_be_written_has_failed(hosting: Hosted) -> None:
    bad = Topic(hosting, "unwritten")
    output = {"S3OutputPath": "s3://no-such-bucket/out", "NotificationConfig": {"ErrorTopic": bad.arn}}
    hosting.deploy_async("unwritten", OutputConfig=output)
    answer = hosting.ask("unwritten")

    assert b"Data upload to 's3://no-such-bucket/out" in hosting.content_of(answer["FailureLocation"])
    assert "NoSuchBucket" in bad.first()["failureReason"]


def test_the_oldest_request_is_sent_first(hosting: Hosted) -> None:
    hosting.deploy_async("in-turn", {"hold": str(hosting.hold)}, ClientConfig=ONE_AT_A_TIME)
    hosting.hold.touch()
    places = [hosting.ask("in-turn", b"%d" % number)["OutputLocation"] for number in range(5)]
    assert len(under_way(hosting, "in-turn")) <= 1
    hosting.let_go()
    seen = [json.loads(hosting.content_of(place)) for place in places]

    assert seen == sorted(seen, key=lambda each: each["at"])


def test_each_kind_of_endpoint_refuses_the_calls_of_the_other(hosting: Hosted) -> None:
    hosting.deploy("at-once")
    runtime, name = hosting.runtime, "later"
    refused = runtime.exceptions.ValidationError
    with pytest.raises(refused, match=r"does not support this inference type\. Use InvokeEndpointAsync"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"")
    with pytest.raises(refused, match=r"does not support this inference type\. Use InvokeEndpointAsync"):
        runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=b"")
    with pytest.raises(refused, match=r"at-once does not support this inference type\. Use InvokeEndpoint\."):
        runtime.invoke_endpoint_async(EndpointName="at-once", InputLocation="s3://bench/in")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "either an InputLocation or a Body"),
        ({"InputLocation": "s3://bench/in", "Body": b"more"}, "either an InputLocation or a Body"),
        ({"InputLocation": "https://example.com/in"}, "must be s3://bucket/key"),
        ({"InputLocation": "s3://bench"}, "must be s3://bucket/key"),
        ({"Body": bytes(128_001)}, "length less than or equal to 128000"),
        ({"Body": b"a", "RequestTTLSeconds": 59}, "requestTTLSeconds.*greater than or equal to 60"),
        ({"Body": b"a", "InvocationTimeoutSeconds": 3601}, "invocationTimeoutSeconds.*less than or equal to 3600"),
        ({"Body": b"a", "Filename": "../up"}, "filename"),
        ({"Body": b"a", "S3OutputPathExtension": "s3://x"}, "s3OutputPathExtension"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(hosting: Hosted, asked: dict[str, Any], said: str) -> None:
    unchecked = hosting.client("sagemaker-runtime", parameter_validation=False)
    with pytest.raises(unchecked.exceptions.ValidationError, match=said):
        unchecked.invoke_endpoint_async(EndpointName="later", **asked)


def test_a_configuration_that_makes_no_sense_is_refused(hosting: Hosted) -> None:
    invalid = hosting.sagemaker.exceptions.ClientError
    output = {"OutputConfig": {"S3OutputPath": "s3://bench/out"}}
    with pytest.raises(invalid, match="A serverless variant can't have an AsyncInferenceConfig"):
        hosting.config("later-serverless", {"ModelName": "later", **SERVERLESS}, AsyncInferenceConfig=output)
    web = {"OutputConfig": {"S3OutputPath": "https://bench.s3.amazonaws.com/out"}}
    with pytest.raises(invalid, match="S3OutputPath must be s3://bucket/prefix in ASCII"):
        hosting.config("later-web", {"ModelName": "later"}, AsyncInferenceConfig=web)


def test_an_update_changes_what_kind_of_endpoint_it_is(hosting: Hosted) -> None:
    hosting.deploy("changed")
    config = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/changed"}, "ClientConfig": ONE_AT_A_TIME}
    hosting.config("changed-later", {"ModelName": "changed"}, AsyncInferenceConfig=config)
    shown = hosting.sagemaker.describe_endpoint_config(EndpointConfigName="changed-later")
    assert shown["AsyncInferenceConfig"] == config
    hosting.sagemaker.update_endpoint(EndpointName="changed", EndpointConfigName="changed-later")
    assert hosting.settled("changed")["AsyncInferenceConfig"] == config
    answer = hosting.ask("changed")
    assert "FailureLocation" not in answer
    assert json.loads(hosting.content_of(answer["OutputLocation"]))["name"] == "changed"

    desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="changed", DesiredWeightsAndCapacities=desired
    )
    assert hosting.settled("changed")["AsyncInferenceConfig"] == config
    hosting.sagemaker.update_endpoint(EndpointName="changed", EndpointConfigName="changed")
    assert "AsyncInferenceConfig" not in hosting.settled("changed")
    assert hosting.invoke("changed")["name"] == "changed"


def test_requests_go_with_their_endpoint(hosting: Hosted) -> None:
    hosting.deploy_async("short", {"hold": str(hosting.hold)}, ClientConfig=ONE_AT_A_TIME)
    hosting.hold.touch()
    for _ in range(3):
        hosting.ask("short")
    hosting.sagemaker.delete_endpoint(EndpointName="short")
    hosting.eventually(lambda: hosting.gone("short"))
    hosting.let_go()

    assert waiting(hosting, "short") == 0
    assert hosting.s3.list_objects_v2(Bucket=BUCKET, Prefix="short/out")["KeyCount"] == 0
    with pytest.raises(hosting.runtime.exceptions.ValidationError, match=r"Endpoint short of account .* not found"):
        hosting.ask("short")


@pytest.fixture
def own_hosting(tmp_path: Path) -> Iterator[Hosted]:
    server = Hosted(tmp_path / "endpoint")
    yield server
    server.kill()


def test_no_request_is_lost_by_a_crash(own_hosting: Hosted) -> None:
    hosting = own_hosting
    hosting.deploy_async("kept", {"hold": str(hosting.hold)}, ClientConfig=ONE_AT_A_TIME)
    hosting.hold.touch()
    answers = [hosting.ask("kept", b"%d" % number) for number in range(4)]
    late = hosting.ask("kept", b"late", RequestTTLSeconds=60)
    hosting.eventually(lambda: under_way(hosting, "kept"))
    hosting.kill()
    with records(hosting) as db:
        db.execute("UPDATE async_requests SET request = json_set(request, '$.received', 1) WHERE number = 5")
    hosting.start()
    hosting.let_go()

    said = [json.loads(hosting.content_of(answer["OutputLocation"]))["said"] for answer in answers]
    assert said == ["0", "1", "2", "3"]
    assert b"The request has expired" in hosting.content_of(late["FailureLocation"])
    hosting.eventually(lambda: waiting(hosting, "kept") == 0)


def test_a_stop_leaves_what_is_under_way_in_the_queue(own_hosting: Hosted) -> None:
    hosting = own_hosting
    hosting.deploy_async("under-way", {"hold": str(hosting.hold)})
    hosting.hold.touch()
    answer = hosting.ask("under-way")
    hosting.eventually(lambda: under_way(hosting, "under-way"))
    hosting.end()
    assert waiting(hosting, "under-way") == 1
    hosting.let_go()
    hosting.start()

    assert json.loads(hosting.content_of(answer["OutputLocation"]))["said"] == "hello"


@contextlib.contextmanager
def records(hosting: Hosted) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(hosting.data_dir / "sagemaker/jobs.db", timeout=60)) as db, db:
        yield db


def waiting(hosting: Hosted, name: str) -> int:
    """How many requests to an endpoint have no result yet."""
    with records(hosting) as db:
        count: int = db.execute("SELECT COUNT(*) FROM async_requests WHERE endpoint = ?", (name,)).fetchone()[0]
    return count


def under_way(hosting: Hosted, name: str) -> list[Path]:
    """The folders of the requests to an endpoint that a container has."""
    return list((hosting.data_dir / "sagemaker/jobs" / f"endpoint-{name}").glob("async-*"))
