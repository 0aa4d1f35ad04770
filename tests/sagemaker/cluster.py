"""A container for jobs on several instances, whose hosts do what hyperparameters or arguments say, and its requests."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.sagemaker.toy_endpoint import BUCKET, ROLE, Endpoint, definition

PROGRAM = """
import json, os, pathlib, signal, socket, subprocess, sys, time

signal.alarm(3600)  # though nobody is left to end it
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
training = sys.argv[1] == "train"
config = base / ("input/config" if training else "config")
resources = json.loads((config / "resourceconfig.json").read_text())
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
if training:
    given = json.loads((config / "hyperparameters.json").read_text())
me, hosts = resources["current_host"], resources["hosts"]
data = base / ("input/data" if training else "processing/input")
output = base / ("model" if training else "processing/output")

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

def meet():
    # Each listens at the same port of its own name, and says hello to the next.
    with socket.create_server((me, 7777)) as server:
        following = hosts[(hosts.index(me) + 1) % len(hosts)]
        while True:
            try:
                with socket.create_connection((following, 7777)) as there:
                    there.sendall(me.encode())
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        visitor, _ = server.accept()
        with visitor:
            return visitor.makefile().read()

say("begins at " + me)
if me in given.get("ignores_term", "").split():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if me in given.get("leaves", "").split():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    say(f"left {child.pid}")
seen = {
    "resources": resources,
    "host": socket.gethostname(),
    "threads": os.environ["OMP_NUM_THREADS"],
    "channels": sorted(json.loads((config / "inputdataconfig.json").read_text())) if training else [],
    "files": sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()),
}
if "meets" in given:
    seen["met"] = meet()
(output / f"{me}.json").write_text(json.dumps(seen))
(output / "same.txt").write_text("the same of all")
if "clash" in given:
    (output / "weights.txt").write_text(me)
if "says" in given:
    (base / "output" / "message").write_text(f"{me} is well")
if me in given.get("fails", "").split():
    (base / "output" / ("failure" if training else "message")).write_text("no seedlings here")
    sys.exit(3)
if "waits" in given:
    say("waits")
    time.sleep(600)
if "hold" in given:
    while os.path.exists(given["hold"]):
        time.sleep(0.02)
say("loss: 0.5; accuracy: 0." + me.removeprefix("algo-"))
"""
DOCKERFILE = 'FROM python:3.12-slim\nCOPY cluster.py .\nENTRYPOINT ["python", "cluster.py"]\n'
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/cluster:1"


def write_image(folder: Path) -> Path:
    """The folder that stands for the image."""
    folder.mkdir(parents=True)
    (folder / "cluster.py").write_text(PROGRAM)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


def algorithm() -> dict[str, Any]:
    """An AlgorithmSpecification."""
    return {**definition()["AlgorithmSpecification"], "TrainingImage": IMAGE}


def machines(count: int) -> dict[str, Any]:
    """A ResourceConfig or ClusterConfig."""
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}


def channel(name: str, prefix: str, kind: str = "S3Prefix", **source: Any) -> dict[str, Any]:
    """A channel of the objects under a prefix of the bucket, or of a manifest there."""
    place = {"S3DataType": kind, "S3Uri": f"s3://{BUCKET}/{prefix}", **source}
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}}


def train(endpoint: Endpoint, name: str, count: int, given: dict[str, str] | None = None, **changes: Any) -> None:
    """Creates a training job on several hosts."""
    request = {"AlgorithmSpecification": algorithm(), "ResourceConfig": machines(count), **changes}
    endpoint.train(name, given, **request)


def process(endpoint: Endpoint, name: str, count: int, given: dict[str, str] | None = None, **changes: Any) -> None:
    """Creates a processing job on several hosts, whose input is sharded."""
    words = [word for pair in (given or {}).items() for word in pair]
    place = {"LocalPath": "/opt/ml/processing/input", "S3InputMode": "File", "S3DataDistributionType": "ShardedByS3Key"}
    source = {"S3Uri": f"s3://{BUCKET}/shards/", "S3DataType": "S3Prefix", **place}
    target = {"S3Uri": f"s3://{BUCKET}/processed/{name}", "LocalPath": "/opt/ml/processing/output"}
    request = {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["process", *words]},
        "ProcessingInputs": [{"InputName": "shards", "S3Input": source}],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "all", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}]
        },
        "ProcessingResources": {"ClusterConfig": machines(count)},
        "RoleArn": ROLE,
        **changes,
    }
    endpoint.sagemaker.create_processing_job(ProcessingJobName=name, **request)


def model_files(endpoint: Endpoint, name: str) -> dict[str, bytes]:
    """The files in a training job's model.tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(endpoint.read(f"out/{name}/output/model.tar.gz"))) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        found = {member.name: archive.extractfile(member) for member in members}
        return {name: file.read() for name, file in found.items() if file is not None}


def seen_by_hosts(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """What each host has seen, by its name."""
    return {name.removesuffix(".json"): json.loads(text) for name, text in files.items() if name.endswith(".json")}


def processed(endpoint: Endpoint, name: str) -> dict[str, bytes]:
    """The files of a processing job's output."""
    prefix = f"processed/{name}/"
    listed = endpoint.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix): endpoint.read(item["Key"]) for item in listed}


def streams(endpoint: Endpoint, kind: str, name: str) -> dict[str, list[str]]:
    """The messages of a job's log by the host of each stream. kind: Training or Processing."""
    logs, group = endpoint.client("logs"), f"/aws/sagemaker/{kind}Jobs"
    try:
        found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return {}
    said: dict[str, list[str]] = {}
    for stream in found:
        host = stream["logStreamName"].removeprefix(f"{name}/").rpartition("-")[0]
        options = {"logGroupName": group, "logStreamName": stream["logStreamName"], "startFromHead": True}
        said.setdefault(host, []).extend(event["message"] for event in logs.get_log_events(**options)["events"])
    return said
