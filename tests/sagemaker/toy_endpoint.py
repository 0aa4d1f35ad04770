"""A real endpoint in its own process on a free port, with a toy container and boto3 clients."""

import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import URLLib3Session

from seedbed.local_cloud.access.credentials import Credentials
from tests import children
from tests.waiting import PATIENCE, jobs_progress, wait_for, work_of

CREDENTIALS = Credentials("SEEDBEDTOYENDPOINT00", "a secret of the tests alone, thirty letters long")

TOY = """
import json, os, pathlib, signal, sys, time

base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
signal.alarm(3600)  # though nobody is left to end it

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

def train():
    given = json.loads((base / "input/config/hyperparameters.json").read_text())
    (base / "model/seen.json").write_text(json.dumps({
        "hyperparameters": given,
        "job": os.environ["TRAINING_JOB_NAME"],
        "threads": os.environ["OMP_NUM_THREADS"],
        "environment": dict(os.environ),
        "files": sorted(str(path.relative_to(base / "input/data"))
                        for path in (base / "input/data").rglob("*") if path.is_file()),
    }))
    sys.stdout.write(given.get("write", "").encode().decode("unicode_escape"))
    if "fail" in given:
        if given["fail"]:
            (base / "output/failure").write_text(given["fail"])
        say("the last words")
        sys.exit(3)
    if "waste" in given:
        while os.path.exists(given.get("hold", "")):
            time.sleep(0.02)
        with (base / "model/waste").open("wb", buffering=0) as file:
            for _ in range(0, int(given["waste"]), 65536):
                file.write(bytes(65536))
    if "ignore_term" in given:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "running" in given:
        with open(given["running"], "a") as file:
            file.write("start\\n")
    if "spawn" in given:
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        say(f"spawned {child.pid}")
    rate = float(given.get("rate", 0.5))
    kept, first = base / given.get("checkpoints", "none") / "epoch.txt", 1
    if kept.exists():
        first = int(kept.read_text()) + 1
        say(f"resumed at {first}")
    for epoch in range(first, int(given.get("epochs", 2)) + 1):
        say(f"epoch {epoch} - loss: {(rate - 0.3) ** 2 + 1 / epoch:.6f}; accuracy: {1 - (rate - 0.3) ** 2:.6f};")
        if "checkpoints" in given:
            kept.with_name("next").write_text(str(epoch))
            kept.with_name("next").replace(kept)
        while epoch >= int(given.get("hold_from", 1)) and os.path.exists(given.get("hold", "")):
            time.sleep(0.02)
        time.sleep(float(given.get("pause", 0)))
    if "output" in given:
        (base / "output/data/notes.txt").write_text(given["output"])
    if "running" in given:
        with open(given["running"], "a") as file:
            file.write("end\\n")

def process():
    arguments = sys.argv[2:]
    source, target = base / "processing/input/data", base / "processing/output"
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    seen = {"names": names, "arguments": arguments, "mood": os.environ.get("MOOD")}
    (target / "names.json").write_text(json.dumps(seen))
    if "early" in arguments:
        (target / "early.txt").write_text("so far")
    if "slow" in arguments:
        time.sleep(600)
    if "broken" in arguments:
        (base / "output/message").write_text("the toy broke")
        sys.exit(1)
    (base / "output/message").write_text("well done")

{"train": train, "process": process}[sys.argv[1]]()
"""
DOCKERFILE = """FROM python:3.12-slim
WORKDIR /opt/toy
ENV MOOD=cheerful PLACE="the bench"
COPY toy.py .
ENTRYPOINT ["python", "toy.py"]
"""
ROLE = "arn:aws:iam::000000000000:role/toy"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/toy:1"
BUCKET = "bench"


class Endpoint:
    """One server process, and the clients that speak to it."""

    bucket = BUCKET

    def __init__(
        self,
        data_dir: Path,
        grace: float = 1.0,
        containers: str = "process",
        path: str = os.environ["PATH"],
        images: Mapping[str, Path] = MappingProxyType({}),
        *,
        within: Sequence[str] = (),
    ) -> None:
        """within: a command that starts the one that follows its words."""
        self.data_dir = data_dir
        self.within = within
        self.containers = containers
        self.path = path
        self.images = images
        self.toy = data_dir / "toy"
        self.toy.mkdir(parents=True)
        (self.toy / "toy.py").write_text(TOY)
        (self.toy / "Dockerfile").write_text(DOCKERFILE)
        self.grace = grace
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.hold = data_dir / "hold"
        self.sagemaker = self.client("sagemaker")
        self.s3 = self.client("s3")
        self.unchecked = self.client("sagemaker", parameter_validation=False)
        self.start()
        with self._ended_by_failure():
            self.s3.create_bucket(Bucket=BUCKET)
            for key in ("Maize/1.txt", "Common wheat/a+b 100%.txt"):
                self.s3.put_object(Bucket=BUCKET, Key=f"in/{key}", Body=key.encode())

    def client(self, service: Any, **config: Any) -> Any:
        return boto3.client(
            service,
            config=Config(read_timeout=PATIENCE, **config),
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS.access_key,
            aws_secret_access_key=CREDENTIALS.secret_key,
        )

    def start(self) -> None:
        environment = {
            **os.environ,
            **CREDENTIALS.environment(),
            "PATH": self.path,
            "GATEWAY_PORT": str(self.port),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data_dir / "s3"),
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        with (self.data_dir / "server.log").open("ab") as log:
            self.process = children.start(
                [
                    *self.within,
                    sys.executable,
                    Path(__file__).with_name("serve.py"),
                    str(self.port),
                    self.data_dir / "sagemaker",
                    json.dumps({"toy": str(self.toy), **{name: str(path) for name, path in self.images.items()}}),
                    str(self.grace),
                    self.containers,
                ],
                env=environment,
                stdout=log,
                stderr=log,
            )
        with self._ended_by_failure():
            wait_for(self._answers, progress=lambda: work_of(self.process.pid))

    @contextlib.contextmanager
    def _ended_by_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            children.end(self.process)
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.data_dir / "server.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends the server by the signal, and then what is left of it."""
        try:
            self.process.send_signal(how)
            children.exited(self.process)
        finally:
            children.end(self.process)

    def train(self, name: str, hyperparameters: dict[str, str] | None = None, **changes: Any) -> Any:
        """Creates a training job on the toy."""
        request = {"TrainingJobName": name, "HyperParameters": hyperparameters or {}, **definition(), **changes}
        return self.sagemaker.create_training_job(**request)

    def tune(self, name: str, static: dict[str, str] | None = None, **config: Any) -> Any:
        """Creates a tuning job on the toy, one range `rate` from 0 to 1 unless `config` says otherwise."""
        return self.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, static, **config))

    def process_images(
        self,
        name: str,
        arguments: tuple[str, ...] = (),
        source: tuple[str, str] | None = ("S3Prefix", "in/"),
        **changes: Any,
    ) -> Any:
        """Creates a processing job on the toy, which lists its input. source: a data type and a key."""
        request = self.processing_request(name, arguments)
        if source is None:
            del request["ProcessingInputs"]
        else:
            place = request["ProcessingInputs"][0]["S3Input"]
            place.update(S3DataType=source[0], S3Uri=f"s3://{BUCKET}/{source[1]}")
        return self.sagemaker.create_processing_job(**{**request, **changes})

    def interrupt(self, name: str, seconds: float = 0) -> tuple[int, dict[str, Any]]:
        """Takes a Spot job's instance away: (HTTP status, answer)."""
        body = json.dumps({"TrainingJobName": name, "CapacityInSeconds": seconds})
        return self._signed(AWSRequest("POST", f"{self.url}/_seedbed/sagemaker/interrupt", data=body))

    def send(self, target: str, body: str) -> tuple[int, dict[str, Any]]:
        """Sends a body as it is to an operation: (HTTP status, answer)."""
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return self._signed(AWSRequest("POST", self.url, data=body, headers=headers))

    def put(self, path: str, body: str) -> tuple[int, dict[str, Any]]:
        """Puts a body as it is to a path: (HTTP status, answer)."""
        return self._signed(AWSRequest("PUT", f"{self.url}{path}", data=body))

    @staticmethod
    def _signed(request: AWSRequest) -> tuple[int, dict[str, Any]]:
        keys = ReadOnlyCredentials(CREDENTIALS.access_key, CREDENTIALS.secret_key, None)
        SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
        answer = URLLib3Session(timeout=PATIENCE).send(request.prepare())
        return answer.status_code, json.loads(answer.content)

    def read(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def log(self, resource: str, name: str) -> str:
        path = self.data_dir / "sagemaker/logs" / resource / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def processes(self, name: str) -> list[int]:
        """The processes of this endpoint's jobs whose names begin with `name`."""
        return [pid for pid, job in _toys(self.url) if job.startswith(name)]

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        """The description of a job (`processing`, `training` or `tuning`) once it has ended."""
        describe, field = self._describe(kind)
        described: dict[str, Any] = {}

        def over() -> bool:
            described.update(describe(name))
            return described[field] in ("Completed", "Failed", "Stopped")

        self.eventually(over)
        return described

    def described(self, kind: str, name: str) -> dict[str, Any]:
        """What Describe returns for a job now."""
        return self._describe(kind)[0](name)

    def status(self, kind: str, name: str) -> str:
        describe, field = self._describe(kind)
        return str(describe(name)[field])

    @staticmethod
    def processing_request(name: str, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
        return processing_request(name, arguments)

    @staticmethod
    def tuning_request(name: str, static: dict[str, str] | None = None, **config: Any) -> dict[str, Any]:
        return tuning_request(name, static, **config)

    def _describe(self, kind: str) -> tuple[Callable[[str], dict[str, Any]], str]:
        client = self.sagemaker
        return {
            "processing": (lambda n: client.describe_processing_job(ProcessingJobName=n), "ProcessingJobStatus"),
            "training": (lambda n: client.describe_training_job(TrainingJobName=n), "TrainingJobStatus"),
            "tuning": (
                lambda n: client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=n),
                "HyperParameterTuningJobStatus",
            ),
        }[kind]

    def eventually(self, condition: Callable[[], Any]) -> Any:
        """The condition's value once it is true; waits while jobs make progress."""
        return wait_for(condition, progress=partial(jobs_progress, self.data_dir / "sagemaker"))

    def held(self, first_epoch: int = 1) -> dict[str, str]:
        """Hyperparameters that stop the toy before its waste, or after this epoch, without output, until `let_go`."""
        self.hold.touch()
        return {"hold": str(self.hold), "hold_from": str(first_epoch)}

    def let_go(self) -> None:
        self.hold.unlink()

    @staticmethod
    def matches(pattern: str, text: str) -> bool:
        return re.fullmatch(pattern, text) is not None

    def trials(self, name: str, **options: Any) -> list[dict[str, Any]]:
        pages = self.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        found = pages.paginate(HyperParameterTuningJobName=name, **options)
        return [trial for page in found for trial in page["TrainingJobSummaries"]]


def _toys(url: str) -> list[tuple[int, str]]:
    """(process id, job) of the toy's processes that an endpoint runs."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            given = process.environ()
            job = given.get("TRAINING_JOB_NAME") or given.get("PROCESSING_JOB_NAME", "")
            ours = given.get("AWS_ENDPOINT_URL") == url and "SAGEMAKER_BASE_DIR" in given
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append((process.pid, job))
    return found


def definition() -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "loss", "Regex": r"loss: ([0-9.]+)"},
                {"Name": "accuracy", "Regex": r"accuracy: ([0-9.]+)"},
            ],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    }


def tuning_request(name: str, static: dict[str, str] | None = None, **config: Any) -> dict[str, Any]:
    limits = {"MaxNumberOfTrainingJobs": config.pop("jobs", 4), "MaxParallelTrainingJobs": config.pop("parallel", 2)}
    ranges = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]}
    request = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ResourceLimits": limits,
            "ParameterRanges": ranges,
            "RandomSeed": 7,
        },
        "TrainingJobDefinition": {"StaticHyperParameters": static or {}, **definition()},
    }
    for key in ("WarmStartConfig", "Tags", "TrainingJobDefinition"):
        if key in config:
            request[key] = config.pop(key)
    request["HyperParameterTuningJobConfig"].update(config)  # type: ignore[attr-defined]
    return request


def processing_request(name: str, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/input/data"}
    return {
        "ProcessingJobName": name,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["process", *arguments]},
        "ProcessingInputs": [{"InputName": "data", "S3Input": {"S3Uri": f"s3://{BUCKET}/in/", **place}}],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "all",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/processed/{name}",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "RoleArn": ROLE,
    }
