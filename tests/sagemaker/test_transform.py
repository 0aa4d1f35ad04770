"""Batch transform through boto3: what containers are sent, what is written of their answers, and how jobs end."""

import gzip
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.kinds import Body
from seedbed.local_cloud.sagemaker.s3.cache import S3Object
from seedbed.local_cloud.sagemaker.transform.objects import Objects
from seedbed.local_cloud.sagemaker.transform.parameters import MB, Parameters, variables, wishes_of
from tests.sagemaker.hosted import Hosted
from tests.sagemaker.toy_endpoint import BUCKET

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
LINES = b"one\ntwo\n\nthree\n"


class Batch(Hosted):
    """The server, with what makes transform jobs on it."""

    def put(self, name: str, **objects: bytes) -> str:  # type: ignore[override]
        """Puts objects below a prefix of a job's own, and returns the prefix. A key's _ is a slash."""
        for key, content in objects.items():
            self.s3.put_object(Bucket=BUCKET, Key=f"in/{name}/{key.replace('_', '/')}", Body=content)
        return f"s3://{BUCKET}/in/{name}/"

    def request(self, name: str, split: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """A request for a job on the model of the same name. split: changes of TransformInput."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/{name}/"}
        return {
            "TransformJobName": name,
            "ModelName": name,
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/plain", **(split or {})},
            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out/{name}", "Accept": "application/json"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }

    def transform(self, name: str, split: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """The description of a job once it has ended."""
        self.sagemaker.create_transform_job(**self.request(name, split, **changes))
        return self.over(name)

    def over(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = {}

        def has_ended() -> bool:
            described.update(self.sagemaker.describe_transform_job(TransformJobName=name))
            return described["TransformJobStatus"] in ("Completed", "Failed", "Stopped")

        self.eventually(has_ended)
        return described

    def written(self, name: str) -> dict[str, bytes]:
        """What a job has written, by the keys below its path."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"out/{name}/").get("Contents", [])
        return {each["Key"].removeprefix(f"out/{name}/"): self.read(each["Key"]) for each in found}

    def said(self, name: str, key: str) -> list[Any]:
        """What the container was sent for an object, in the order of the answers."""
        return [json.loads(line)["said"] for line in self.written(name)[key].splitlines()]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    server = Batch(tmp_path_factory.mktemp("batch") / "endpoint")
    yield server
    server.end()


def test_every_object_is_answered_in_one_of_its_own(batch: Batch) -> None:
    batch.model("whole")
    batch.put("whole", a=b"first", deep_b=b"second\nline")
    job = batch.transform("whole", Environment={"MOOD": "grave"})

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    written = batch.written("whole")
    assert sorted(written) == ["a.out", "deep/b.out"]
    seen = json.loads(written["deep/b.out"])
    assert seen["said"] == "second\nline"
    assert (seen["name"], seen["mood"], seen["arguments"]) == ("whole", "grave", ["serve"])
    assert (seen["headers"]["content-type"], seen["headers"]["accept"]) == ("text/plain", "application/json")
    assert batch.serving_of("whole", "transform-job") == set()


def test_describe_answers_with_sagemakers_defaults(batch: Batch) -> None:
    batch.model("described")
    batch.put("described", a=b"first")
    job = batch.transform("described")

    assert job["TransformJobArn"] == f"{ARN}:transform-job/described"
    assert job["TransformInput"]["SplitType"] == job["TransformInput"]["CompressionType"] == "None"
    assert job["TransformOutput"]["AssembleWith"] == "None"
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def test_lines_are_sent_one_by_one_and_answered_in_order(batch: Batch) -> None:
    batch.model("lines")
    batch.put("lines", a=LINES, b=b"\n".join(str(number).encode() for number in range(100)))
    request = batch.request("lines", {"SplitType": "Line"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    request["TransformOutput"]["AssembleWith"] = "Line"
    batch.sagemaker.create_transform_job(**request)

    assert batch.over("lines")["TransformJobStatus"] == "Completed"
    assert batch.said("lines", "a.out") == ["one", "two", "three"]
    assert batch.said("lines", "b.out") == [str(number) for number in range(100)]


def test_as_many_lines_are_sent_together_as_fit(batch: Batch) -> None:
    batch.model("together")
    line = b"x" * 400_000 + b"\n"
    batch.put("together", a=LINES, b=line * 5)
    request = batch.request("together", {"SplitType": "Line"}, BatchStrategy="MultiRecord", MaxPayloadInMB=1)
    request["TransformOutput"]["AssembleWith"] = "Line"
    batch.sagemaker.create_transform_job(**request)

    assert batch.over("together")["TransformJobStatus"] == "Completed"
    assert batch.said("together", "a.out") == ["one\ntwo\nthree\n"]
    sizes = [json.loads(answer)["size"] for answer in batch.written("together")["b.out"].splitlines()]
    assert sizes == [2 * len(line), 2 * len(line), len(line)]


def test_gzip_is_unpacked_before_it_is_sent(batch: Batch) -> None:
    batch.model("packed")
    batch.put("packed", a=gzip.compress(b"unpacked"))
    batch.transform("packed", {"CompressionType": "Gzip"})

    assert batch.said("packed", "a.out") == ["unpacked"]


def test_what_is_no_gzip_fails_the_job_and_is_named(batch: Batch) -> None:
    batch.model("unpacked")
    batch.put("unpacked", a=b"as it is")
    job = batch.transform("unpacked", {"CompressionType": "Gzip"})

    assert job["TransformJobStatus"] == "Failed"
    assert f"s3://{BUCKET}/in/unpacked/a can't be read as gzip" in job["FailureReason"]


def test_a_manifest_names_the_objects(batch: Batch) -> None:
    batch.model("manifest")
    prefix = batch.put("manifest", a=b"1", b=b"2", c=b"3")
    batch.s3.put_object(Bucket=BUCKET, Key="manifests/m", Body=json.dumps([{"prefix": prefix}, "a", "c"]).encode())
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/manifests/m"}
    job = batch.transform("manifest", {"DataSource": {"S3DataSource": source}})

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert sorted(batch.written("manifest")) == ["a.out", "c.out"]


def test_several_instances_share_the_objects(batch: Batch) -> None:
    batch.model("shared")
    batch.put("shared", **{f"n{number}": b"1" for number in range(20)})
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    job = batch.transform("shared", TransformResources=resources)

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    written = batch.written("shared")
    assert len(written) == 20
    assert len({json.loads(content)["pid"] for content in written.values()}) == 2


def test_a_failed_object_fails_the_job_and_the_others_are_written(batch: Batch) -> None:
    batch.model("refused")
    batch.put("refused", a=b"fine", b=b"refuse", c=b"fine too")
    job = batch.transform("refused")

    assert job["TransformJobStatus"] == "Failed"
    assert (
        f"AlgorithmError: s3://{BUCKET}/in/refused/b: the container answered 400: I don't like that"
        in (job["FailureReason"])
    )
    assert "The container said last: " in job["FailureReason"]
    assert sorted(batch.written("refused")) == ["a.out", "c.out"]


def test_an_object_of_which_one_line_fails_is_not_written(batch: Batch) -> None:
    batch.model("half")
    batch.put("half", a=b"fine\nbreak\nfine\n")
    client = {"InvocationsMaxRetries": 0}
    job = batch.transform("half", {"SplitType": "Line"}, BatchStrategy="SingleRecord", ModelClientConfig=client)

    assert job["TransformJobStatus"] == "Failed"
    assert "the container answered 500: it broke" in job["FailureReason"]
    assert batch.written("half") == {}


def test_a_container_that_ends_fails_the_job_with_its_last_lines(batch: Batch) -> None:
    batch.model("broken", {"fail": "no weights in the archive"})
    batch.put("broken", a=b"1")
    job = batch.transform("broken")

    assert job["TransformJobStatus"] == "Failed"
    assert "no weights in the archive, exit code: 3" in job["FailureReason"]
    assert "TransformStartTime" not in job


def test_a_container_that_crashes_over_an_object_fails_the_job(batch: Batch) -> None:
    batch.model("crashes")
    batch.put("crashes", a=b"crash", b=b"never sent")
    job = batch.transform("crashes")

    assert job["TransformJobStatus"] == "Failed"
    assert "exit code: 9" in job["FailureReason"]
    assert batch.written("crashes") == {}


def test_an_answer_that_does_not_come_in_time_fails_the_job(batch: Batch) -> None:
    batch.hold.touch()
    batch.model("slow", {"hold": str(batch.hold)})
    batch.put("slow", a=b"1")
    client = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    job = batch.transform("slow", ModelClientConfig=client)
    batch.let_go()

    assert job["TransformJobStatus"] == "Failed"
    assert "An answer must come in 1 seconds" in job["FailureReason"]


def test_objects_that_are_too_large_are_named(batch: Batch) -> None:
    batch.model("large")
    batch.put("large", a=bytes(2**20 + 1))
    job = batch.transform("large", MaxPayloadInMB=1)

    assert job["TransformJobStatus"] == "Failed"
    assert f"ClientError: s3://{BUCKET}/in/large/a: Too much data for max payload size" in job["FailureReason"]


def test_a_prefix_without_objects_fails_the_job(batch: Batch) -> None:
    batch.model("nothing")
    job = batch.transform("nothing")

    assert job["TransformJobStatus"] == "Failed"
    assert f"No S3 objects found under S3 URL 's3://{BUCKET}/in/nothing/'" in job["FailureReason"]


def test_a_job_that_is_stopped_ends_its_containers(batch: Batch) -> None:
    batch.hold.touch()
    batch.model("stopped", {"hold": str(batch.hold)})
    batch.put("stopped", a=b"1")
    batch.sagemaker.create_transform_job(**batch.request("stopped"))
    batch.eventually(lambda: "TransformStartTime" in batch.sagemaker.describe_transform_job(TransformJobName="stopped"))
    assert batch.serving_of("stopped", "transform-job") != set()
    batch.sagemaker.stop_transform_job(TransformJobName="stopped")
    job = batch.over("stopped")
    batch.let_go()

    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert batch.serving_of("stopped", "transform-job") == set()
    with pytest.raises(batch.sagemaker.exceptions.ClientError, match="transform job is in status Stopped"):
        batch.sagemaker.stop_transform_job(TransformJobName="stopped")


def test_the_newest_jobs_are_listed_first(batch: Batch) -> None:
    batch.model("listed")
    for name in ("listed-a", "listed-b", "listed-c"):
        batch.put(name, a=b"1")
        batch.transform(name, ModelName="listed")
    pages = batch.sagemaker.get_paginator("list_transform_jobs").paginate(
        NameContains="listed", PaginationConfig={"PageSize": 2}
    )
    found = [each for page in pages for each in page["TransformJobSummaries"]]

    assert [each["TransformJobName"] for each in found] == ["listed-c", "listed-b", "listed-a"]
    assert {each["TransformJobStatus"] for each in found} == {"Completed"}


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"ModelName": "missing"}, f'Could not find model "{ARN}:model/missing"'),
    ({"MaxPayloadInMB": 0}, "MaxPayloadInMB 0: no payload is sent in chunks"),
    ({"MaxPayloadInMB": 101}, "at most 100"),
    ({"MaxPayloadInMB": 20, "MaxConcurrentTransforms": 6}, "at most 100"),
    ({"DataProcessing": {"InputFilter": "$.features"}}, r"DataProcessing.InputFilter \$.features"),
    ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource Input: answers are not joined"),
    ({"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 21}}, "at most 20 instances"),
]


@pytest.mark.parametrize(("changes", "said"), UNFIT)
def test_a_job_that_can_not_be_run_is_refused(batch: Batch, changes: dict[str, Any], said: str) -> None:
    if not batch.sagemaker.list_models(NameContains="unfit")["Models"]:
        batch.model("unfit")
    with pytest.raises(batch.sagemaker.exceptions.ClientError, match=said):
        batch.sagemaker.create_transform_job(**{**batch.request("unfit"), **changes})


def test_each_status_is_an_event(batch: Batch) -> None:
    events, queues = batch.client("events"), batch.client("sqs")
    queue = queues.create_queue(QueueName="transforms")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Transform Job State Change"]}
    events.put_rule(Name="transforms", EventPattern=json.dumps({**pattern, "detail": {"TransformJobName": ["told"]}}))
    events.put_targets(Rule="transforms", Targets=[{"Id": "queue", "Arn": arn}])
    batch.model("told")
    batch.put("told", a=b"1")
    batch.transform("told")
    heard: list[dict[str, Any]] = []

    def has_heard_all() -> bool:
        got = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        heard.extend(json.loads(message["Body"]) for message in got)
        return len(heard) == 2

    batch.eventually(has_heard_all)
    assert sorted(event["detail"]["TransformJobStatus"] for event in heard) == ["Completed", "InProgress"]
    assert heard[0]["resources"] == [f"{ARN}:transform-job/told"]


def test_a_jobs_lines_are_in_cloudwatch(batch: Batch) -> None:
    batch.model("logged")
    batch.put("logged", a=b"1")
    batch.transform("logged")
    logs = batch.client("logs")

    def streams() -> list[str]:
        found = logs.describe_log_streams(logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="logged/i-")
        return [each["logStreamName"] for each in found["logStreams"]]

    assert len(batch.eventually(streams)) == 1


def test_a_job_starts_anew_after_a_crash_without_its_model(tmp_path: Path) -> None:
    own = Batch(tmp_path / "endpoint")
    try:
        own.hold.touch()
        own.model("survives", {"hold": str(own.hold)})
        own.put("survives", a=b"1")
        own.sagemaker.create_transform_job(**own.request("survives"))
        (pid,) = own.eventually(lambda: own.serving_of("survives", "transform-job"))
        own.sagemaker.delete_model(ModelName="survives")
        own.kill_alone()
        own.start()
        own.eventually(lambda: own.serving_of("survives", "transform-job") - {pid})
        assert pid not in own.serving()
        own.let_go()

        job = own.over("survives")
        assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
        assert own.said("survives", "a.out") == ["1"]
    finally:
        own.end()


WISHES: list[tuple[Body, Body, Parameters]] = [
    ({}, {}, Parameters(1, 6 * MB, single=False)),
    (
        {},
        {"MaxConcurrentTransforms": 8, "MaxPayloadInMB": 2, "BatchStrategy": "SINGLE_RECORD"},
        Parameters(8, 2 * MB, single=True),
    ),
    (
        {"MaxConcurrentTransforms": 2, "MaxPayloadInMB": 3, "BatchStrategy": "MultiRecord"},
        {"MaxConcurrentTransforms": 8, "MaxPayloadInMB": 2, "BatchStrategy": "SINGLE_RECORD"},
        Parameters(2, 3 * MB, single=False),
    ),
    (
        {},
        {"MaxConcurrentTransforms": 10**9, "MaxPayloadInMB": "6", "BatchStrategy": ["odd"]},
        Parameters(1, 6 * MB, single=False),
    ),
    ({"MaxConcurrentTransforms": 100}, {}, Parameters(16, 6 * MB, single=False)),
]


@pytest.mark.parametrize(("request_", "wishes", "wanted"), WISHES)
def test_a_container_gets_what_the_request_says_or_else_what_it_wishes(
    request_: Body, wishes: Body, wanted: Parameters
) -> None:
    assert Parameters.of(request_, wishes) == wanted


def test_a_container_is_told_what_the_request_says() -> None:
    assert variables({}) == {"SAGEMAKER_BATCH": "true"}
    assert variables({"MaxPayloadInMB": 3, "BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 2}) == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "3",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
    }


@pytest.mark.parametrize(
    ("status", "content", "wanted"),
    [
        (200, b'{"MaxPayloadInMB": 2}', {"MaxPayloadInMB": 2}),
        (404, b'{"MaxPayloadInMB": 2}', {}),
        (200, b"[1]", {}),
        (200, b"[" * 60_000, {}),
        (200, b'{"MaxPayloadInMB": 2' + b" " * 2**17 + b"}", {}),
    ],
)
def test_wishes_that_make_no_sense_are_none(status: int, content: bytes, wanted: Body) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/execution-parameters" else 500)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert wishes_of(server.server_port) == wanted
        thread.join()


class EndsAfter:
    """A sender whose container has ended, without a failed call, once it has answered so many payloads."""

    calls = 1

    def __init__(self, answers: int) -> None:
        self.left = answers

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def send(self, payload: bytes) -> bytes:
        self.left -= 1
        return payload

    def close(self) -> None:
        pass


@pytest.mark.parametrize("answers", [0, 1, 2, 3])
def test_a_container_that_ends_between_two_calls_fails_the_job(tmp_path: Path, answers: int) -> None:
    written: list[str] = []

    def upload(files: list[tuple[Path, str]], _: str) -> list[None]:
        written.extend(name for _, name in files)
        return [None]

    transfer: Any = SimpleNamespace(reader=SimpleNamespace(open=lambda _: io.BytesIO(b"1\n2\n")), upload_files=upload)
    retry: Any = SimpleNamespace(until_done=lambda work: work())
    sender: Any = EndsAfter(answers)
    body = {
        "TransformInput": {"SplitType": "Line", "CompressionType": "None"},
        "TransformOutput": {"AssembleWith": "None", "S3OutputPath": "s3://bench/out"},
    }
    found = [(S3Object("bench", name, "", 4, 0), name) for name in "abc"]

    fault = Objects(body, sender, Parameters(single=True), transfer, retry).send(found, tmp_path / "answers")
    assert "the container has ended" in fault
    assert written == (["a.out"] if answers >= 2 else [])
