"""Pipe mode: a channel's objects, streamed through named pipes, one for each epoch."""

import base64
import gzip
import json
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.s3.feed import Feed, running
from tests.sagemaker import cluster
from tests.sagemaker.toy_endpoint import Endpoint, definition
from tests.waiting import wait_for

READER = """
import base64, json, os, pathlib, signal, time

signal.alarm(3600)  # though nobody is left to end it
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
given = json.loads((base / "input/config/hyperparameters.json").read_text())
host = json.loads((base / "input/config/resourceconfig.json").read_text())["current_host"]
first = int(given.get("bytes", -1))
read = {}
for channel in given.get("channels", "").split():
    for epoch in range(int(given.get("epochs", 1))):
        pipe = base / f"input/data/{channel}_{epoch}"
        while not pipe.exists():
            time.sleep(0.01)
        assert pipe.is_fifo()
        with pipe.open("rb", buffering=0) as stream:
            content = stream.readall() if first < 0 else stream.read(first)
        read[pipe.name] = base64.b64encode(content).decode()
read["config"] = json.loads((base / "input/config/inputdataconfig.json").read_text())
(base / "model" / f"{host}.json").write_text(json.dumps(read))
print("read all", flush=True)
if "waits" in given:
    time.sleep(600)
"""
DOCKERFILE = 'FROM python:3.12-slim\nCOPY reader.py .\nENTRYPOINT ["python", "reader.py"]\n'
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/reader:1"
OBJECTS = {"pipe/a.bin": b"first\n", "pipe/b.bin": b"", "pipe/c.bin": b"third"}
# More than a pipe holds, and than is read at once.
LARGE = bytes(range(256)) * 2**16


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An endpoint with an image that reads pipes, and objects for them."""
    folder = tmp_path_factory.mktemp("pipes")
    image = folder / "image"
    image.mkdir()
    (image / "reader.py").write_text(READER)
    (image / "Dockerfile").write_text(DOCKERFILE)
    server = Endpoint(folder / "endpoint", images={"reader": image})
    for key, content in {**OBJECTS, "large/one.bin": LARGE}.items():
        server.s3.put_object(Bucket=server.bucket, Key=key, Body=content)
    yield server
    server.end()


def train(endpoint: Endpoint, name: str, given: dict[str, str], channels: list[dict[str, Any]], **changes: Any) -> None:
    """Creates a training job whose channels are streamed."""
    specification = {**definition()["AlgorithmSpecification"], "TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}
    request = {"AlgorithmSpecification": specification, "InputDataConfig": channels, **changes}
    endpoint.train(name, {"channels": " ".join(item["ChannelName"] for item in channels), **given}, **request)


def read(endpoint: Endpoint, name: str, host: str = "algo-1") -> dict[str, Any]:
    """What a completed job has read, by its pipes."""
    job = endpoint.ended("training", name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = json.loads(cluster.model_files(endpoint, name)[f"{host}.json"])
    return {pipe: base64.b64decode(content) for pipe, content in found.items() if pipe != "config"}


def records(content: bytes) -> list[bytes]:
    """The contents of RecordIO records."""
    found, at = [], 0
    while at < len(content):
        magic, size = struct.unpack_from("<II", content, at)
        assert magic == 0xCED7230A
        found.append(content[at + 8 : at + 8 + size])
        at += 8 + size + -size % 4
    return found


def test_each_epoch_is_a_pipe_with_all_objects_one_after_the_other(endpoint: Endpoint) -> None:
    train(endpoint, "epochs", {"epochs": "3"}, [cluster.channel("train", "pipe/")])
    assert read(endpoint, "epochs") == dict.fromkeys(("train_0", "train_1", "train_2"), b"first\nthird")


def test_the_container_is_told_that_a_channel_is_a_pipe(endpoint: Endpoint) -> None:
    files = {**cluster.channel("files", "pipe/"), "InputMode": "FastFile"}
    train(endpoint, "told", {"channels": "train"}, [cluster.channel("train", "pipe/"), files])
    read(endpoint, "told")
    config = json.loads(cluster.model_files(endpoint, "told")["algo-1.json"])["config"]
    assert {name: one["TrainingInputMode"] for name, one in config.items()} == {"train": "Pipe", "files": "File"}


def test_a_pipe_that_is_closed_early_is_followed_by_the_next(endpoint: Endpoint) -> None:
    train(endpoint, "early", {"epochs": "3", "bytes": "1000"}, [cluster.channel("train", "large/")])
    assert read(endpoint, "early") == dict.fromkeys(("train_0", "train_1", "train_2"), LARGE[:1000])


def test_a_large_object_arrives_whole(endpoint: Endpoint) -> None:
    train(endpoint, "large", {}, [cluster.channel("train", "large/")])
    assert read(endpoint, "large")["train_0"] == LARGE


def test_channels_are_read_in_any_order(endpoint: Endpoint) -> None:
    channels = [cluster.channel("train", "pipe/"), cluster.channel("validation", "pipe/a")]
    train(endpoint, "order", {"channels": "validation train"}, channels)
    assert read(endpoint, "order") == {"validation_0": b"first\n", "train_0": b"first\nthird"}


def test_objects_can_be_wrapped_as_records(endpoint: Endpoint) -> None:
    train(endpoint, "records", {}, [{**cluster.channel("train", "pipe/"), "RecordWrapperType": "RecordIO"}])
    assert records(read(endpoint, "records")["train_0"]) == list(OBJECTS.values())


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_packed_objects_are_unpacked(endpoint: Endpoint, wrapper: str) -> None:
    for name, content in (("a", b"first"), ("b", b"second" * 1000)):
        key = f"packed-{wrapper}/{name}.gz"
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=gzip.compress(content))
    options = {"CompressionType": "Gzip", "RecordWrapperType": wrapper}
    job = f"packed-{wrapper.lower()}"
    train(endpoint, job, {}, [{**cluster.channel("train", f"packed-{wrapper}/"), **options}])
    content = read(endpoint, job)["train_0"]
    expected = [b"first", b"second" * 1000]
    assert (records(content) if wrapper == "RecordIO" else content) == (
        expected if wrapper == "RecordIO" else b"".join(expected)
    )


def test_what_is_not_packed_fails_the_job_by_name(endpoint: Endpoint) -> None:
    train(endpoint, "not-packed", {}, [{**cluster.channel("train", "pipe/a"), "CompressionType": "Gzip"}])
    job = endpoint.ended("training", "not-packed")
    assert job["TrainingJobStatus"] == "Failed"
    assert "pipe/a.bin: it can't be unpacked with gzip" in job["FailureReason"]


def test_hosts_share_the_objects_of_a_pipe(endpoint: Endpoint) -> None:
    channel = cluster.channel("train", "pipe/", S3DataDistributionType="ShardedByS3Key")
    train(endpoint, "shared", {}, [channel], ResourceConfig=cluster.machines(2))
    assert read(endpoint, "shared", "algo-1") == {"train_0": b"first\nthird"}
    assert read(endpoint, "shared", "algo-2") == {"train_0": b""}


def test_a_seed_shuffles_each_epoch_anew_and_always_the_same(endpoint: Endpoint) -> None:
    for letter in "abcdefgh":
        endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"letters/{letter}", Body=letter.encode())
    channel = {**cluster.channel("train", "letters/"), "ShuffleConfig": {"Seed": 7}}
    for name in ("shuffled", "shuffled-too"):
        train(endpoint, name, {"epochs": "4"}, [channel])
    found = read(endpoint, "shuffled")
    assert found == read(endpoint, "shuffled-too")
    assert {bytes(sorted(content)) for content in found.values()} == {b"abcdefgh"}
    assert len(set(found.values())) > 1


def test_an_augmented_manifest_streams_its_attributes_in_order(endpoint: Endpoint) -> None:
    lines = [
        {"label": 3, "image-ref": f"s3://{endpoint.bucket}/pipe/a.bin", "other": "x"},
        {"label": "maize", "image-ref": f"s3://{endpoint.bucket}/pipe/c.bin"},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key="augmented.jsonl", Body=body.encode())
    channel = cluster.channel(
        "train", "augmented.jsonl", "AugmentedManifestFile", AttributeNames=["image-ref", "label"]
    )
    train(endpoint, "augmented", {"epochs": "2"}, [{**channel, "RecordWrapperType": "RecordIO"}])
    for content in read(endpoint, "augmented").values():
        assert records(content) == [b"first\n", b"3", b"third", b"maize"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "line 1 of an augmented manifest must be a JSON object"),
        ('{"label": 1}', "line 1 has no attribute 'image-ref'"),
        ('{"image-ref": 3}', "the attribute 'image-ref' in line 1 must be the URI of an object"),
        ('{"image-ref": "s3://bench/none"}', "the manifest names s3://bench/none"),
        ('{"image-ref": "https://elsewhere"}', "'https://elsewhere' is not an s3://bucket/key"),
    ],
)
def test_an_augmented_manifest_that_cannot_be_read_fails_the_job(endpoint: Endpoint, line: str, reason: str) -> None:
    name = f"augmented-{abs(hash(line))}"
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=f"{name}.jsonl", Body=line.encode())
    channel = cluster.channel("train", f"{name}.jsonl", "AugmentedManifestFile", AttributeNames=["image-ref"])
    train(endpoint, name, {}, [channel])
    job = endpoint.ended("training", name)
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_a_job_that_reads_no_pipe_ends_all_the_same(endpoint: Endpoint) -> None:
    train(endpoint, "unread", {"channels": ""}, [cluster.channel("train", "large/")])
    assert read(endpoint, "unread") == {}


def test_a_job_with_pipes_can_be_stopped(endpoint: Endpoint) -> None:
    train(endpoint, "stopped", {"waits": "1", "bytes": "1"}, [cluster.channel("train", "large/")])
    endpoint.eventually(lambda: "read all" in endpoint.log("training-job", "stopped"))
    endpoint.sagemaker.stop_training_job(TrainingJobName="stopped")
    assert endpoint.ended("training", "stopped")["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_object_fails_the_job_rather_than_ending_the_epoch(endpoint: Endpoint, damage: str) -> None:
    key = f"damaged/{damage}.bin"
    endpoint.s3.put_object(Bucket=endpoint.bucket, Key=key, Body=LARGE)
    stored = endpoint.data_dir / "s3/000000000000" / endpoint.bucket / key
    if damage == "cut":
        stored.write_bytes(LARGE[:-1000])
    elif damage == "flipped":
        stored.write_bytes(LARGE[:5000] + b"!" + LARGE[5001:])
    else:
        stored.unlink()
    train(endpoint, f"damaged-{damage}", {"waits": "1"}, [cluster.channel("train", key)])
    job = endpoint.ended("training", f"damaged-{damage}")
    assert job["TrainingJobStatus"] == "Failed"
    assert key in job["FailureReason"]


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"InputMode": "File", "CompressionType": "Gzip"}, {}, "CompressionType Gzip, which is for the input mode Pipe"),
    ({"InputMode": "File", "RecordWrapperType": "RecordIO"}, {}, "RecordWrapperType RecordIO"),
    ({"InputMode": "FastFile"}, {"S3DataType": "ManifestFile"}, "FastFile, which needs the S3DataType S3Prefix"),
    ({"InputMode": "File"}, {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["x"]}, "AugmentedManifestFile"),
    ({}, {"S3DataType": "AugmentedManifestFile"}, "needs AttributeNames"),
    ({}, {"AttributeNames": ["x"]}, "needs AttributeNames with an AugmentedManifestFile, and only with one"),
    ({}, {"InstanceGroupNames": ["none"]}, "names the instance group 'none'"),
]


@pytest.mark.parametrize(("changes", "source", "named"), REFUSED)
def test_a_channel_that_does_not_fit_its_mode_is_refused(
    endpoint: Endpoint, changes: dict[str, Any], source: dict[str, Any], named: str
) -> None:
    channel = {**cluster.channel("train", "pipe/"), **changes}
    channel["DataSource"]["S3DataSource"].update(source)
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match=f"Channel 'train'.*{named}"):
        train(endpoint, "refused", {}, [channel])


def test_content_is_read_no_faster_than_the_job_reads_it(tmp_path: Path) -> None:
    taken: list[int] = []

    def content(epoch: int) -> Iterator[bytes]:
        for number in range(100):
            taken.append(number)
            yield bytes(2**20)

    def has_taken(parts: int) -> bool:
        return len(taken) >= parts

    feed = Feed(tmp_path, "train", content)
    with running([feed], lambda: None), (tmp_path / "train_0").open("rb", buffering=0) as pipe:
        for parts in range(1, 4):
            left = 2**20
            while left:
                left -= len(pipe.read(left))
            wait_for(partial(has_taken, parts + 1), "the next part")
            assert len(taken) == parts + 1, "one part is on its way, and no more"


@pytest.mark.parametrize("put", ["link", "file"])
def test_what_a_job_puts_in_a_pipes_place_is_not_written_to(tmp_path: Path, put: str) -> None:
    """A container may be root within, but has no right to the machine's files."""
    outside, folder = tmp_path / "outside", tmp_path / "data"
    outside.write_text("as it was")
    folder.mkdir()
    feed = Feed(folder, "train", lambda epoch: [b"no"] * 3)
    feed.begin()
    (folder / "train_0").unlink()
    if put == "link":
        (folder / "train_0").symlink_to(outside)
    else:
        (folder / "train_0").hardlink_to(outside)
    feed.work(lambda: None)
    assert outside.read_text() == "as it was"


def test_the_next_pipe_is_there_before_an_epoch_ends(tmp_path: Path) -> None:
    feed = Feed(tmp_path, "train", lambda epoch: [str(epoch).encode()])
    with running([feed], lambda: None):
        said = []
        for epoch in range(5):
            with (tmp_path / f"train_{epoch}").open("rb", buffering=0) as pipe:
                said.append(pipe.read(1))
                assert pipe.read(1) == b""
                assert (tmp_path / f"train_{epoch + 1}").is_fifo()
    assert said == [b"0", b"1", b"2", b"3", b"4"]
