"""`seedbed sagemaker` as a person runs it, in its own process, with a client that only has its URL."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from tests import children
from tests.sagemaker.toy_endpoint import DOCKERFILE, TOY, definition
from tests.waiting import PATIENCE, jobs_progress, wait_for

SECRET = "nobody-elses-business"
SHELL = {
    "GITHUB_TOKEN": SECRET,
    "TF_VAR_password": SECRET,
    "NVIDIA_API_KEY": SECRET,
    "HTTPS_PROXY": f"http://you:{SECRET}@127.0.0.1:1",
    "AWS_SESSION_TOKEN": SECRET,
    "SEEDBED_SMTP_URL": f"smtp://you:{SECRET}@127.0.0.1:1",
    "SEEDBED_PASS_ENV": "NAMED_ONE, NAMED_TWO,AWS_SESSION_TOKEN",
    "NAMED_ONE": "1",
    "NAMED_TWO": "2",
}
TELL = "import json, os; print(json.dumps(dict(os.environ)))"
FUNCTION = """
import os, pathlib, time
def handler(event, context):
    if "sleep" in event:
        pathlib.Path(event["sleep"]).touch()
        time.sleep(600)
    return dict(os.environ)
"""
PROGRAM = [sys.executable, "-c", "from seedbed.cli import main; main()", "sagemaker"]


class Command:
    """The running command; `client` makes boto3 clients of it."""

    def __init__(self, folder: Path, program: Sequence[object] = PROGRAM) -> None:
        toy = folder / "toy"
        toy.mkdir()
        (toy / "toy.py").write_text(TOY)
        (toy / "Dockerfile").write_text(DOCKERFILE)
        self.program = program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.data = folder / "data"
        self.output = folder / "output.txt"
        self.words = ["--port", str(self.port), "--data", str(self.data), "--image", f"toy={toy}"]

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = children.start(
                [*self.program, *self.words, "--containers", "process", "--instances", "2"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **SHELL, "COLUMNS": "200"},
            )
        self.wait_for(self._is_up)

    @contextlib.contextmanager
    def running(self) -> Iterator["Command"]:
        """Runs while the block does, and ends as by Ctrl-C."""
        try:
            self.start()
            yield self
            if self.process.poll() is None:
                self.end(signal.SIGINT)
        finally:
            children.end(self.process)

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """The condition's value once it is true; waits while the command or its jobs make progress."""
        return wait_for(condition, progress=lambda: (self.output.read_text(), jobs_progress(self.data / "sagemaker")))

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return "Stop with Ctrl-C" in self.output.read_text()

    def client(self, service: Any) -> Any:
        """A client with the variables of the file that the command names."""
        said = dict(re.findall(r"(AWS_\w+)=(\S+)", (self.data / "environment.sh").read_text()))
        return boto3.client(
            service,
            endpoint_url=said["AWS_ENDPOINT_URL"],
            region_name=said["AWS_REGION"],
            aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=said["AWS_SESSION_TOKEN"],
            config=Config(read_timeout=PATIENCE, retries={"total_max_attempts": 1}),
        )

    def make_function(self) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=policy)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as packed:
            packed.writestr("index.py", FUNCTION)
        self.client("lambda").create_function(
            FunctionName="teller",
            Runtime="python3.12",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
            Timeout=900,
        )

    def invoke(self, **event: str) -> Any:
        with contextlib.suppress(BotoCoreError):
            answer = self.client("lambda").invoke(FunctionName="teller", Payload=json.dumps(event).encode())
            return json.load(answer["Payload"])

    def end(self, how: signal.Signals) -> None:
        family = children.family_of(self.process.pid)
        assert family
        self.process.send_signal(how)
        children.exited(self.process)
        children.wait_until_gone(family)

    def status(self, job: str) -> str:
        return str(self.client("sagemaker").describe_training_job(TrainingJobName=job)["TrainingJobStatus"])


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    with Command(tmp_path).running() as command:
        yield command


def test_the_command_prints_variables_runs_jobs_and_continues_after_a_stop(command: Command, tmp_path: Path) -> None:
    said = command.output.read_text()
    assert f". {command.data}/environment.sh" in said.splitlines()
    assert f"AWS_ENDPOINT_URL=http://127.0.0.1:{command.port}" in (command.data / "environment.sh").read_text()
    assert "TrainingImage=toy" in said
    s3, sagemaker = command.client("s3"), command.client("sagemaker")
    for bucket in ("bench", "empty"):
        s3.create_bucket(Bucket=bucket)
    sagemaker.create_training_job(TrainingJobName="done", **definition())
    command.wait_for(lambda: command.status("done") == "Completed")
    points = {"CheckpointConfig": {"S3Uri": "s3://bench/points"}}
    hold = tmp_path / "hold"
    hold.touch()
    slow = {"epochs": "9", "checkpoints": "checkpoints", "hold": str(hold)}
    sagemaker.create_training_job(TrainingJobName="goes-on", HyperParameters=slow, **definition(), **points)
    command.wait_for(lambda: s3.list_objects_v2(Bucket="bench", Prefix="points/epoch.txt").get("Contents"))

    command.end(signal.SIGINT)
    assert command.process.returncode == 130
    hold.unlink()
    command.start()

    assert command.status("done") == "Completed"
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {"bench", "empty"}
    command.wait_for(lambda: command.status("goes-on") == "Completed")
    assert "resumed at " in (command.data / "sagemaker/logs/training-job/goes-on.log").read_text()


def test_the_command_limits_instances(command: Command) -> None:
    command.client("s3").create_bucket(Bucket="bench")
    sagemaker = command.client("sagemaker")
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    with pytest.raises(
        sagemaker.exceptions.ResourceLimitExceeded, match=r"is 2 Instances.*seedbed sagemaker --instances"
    ):
        sagemaker.create_training_job(TrainingJobName="three", **{**definition(), "ResourceConfig": machines})


def test_a_killed_command_leaves_no_process_and_keeps_finished_jobs(command: Command) -> None:
    command.client("s3").create_bucket(Bucket="bench")
    sagemaker = command.client("sagemaker")
    sagemaker.create_training_job(TrainingJobName="done", **definition())
    command.wait_for(lambda: command.status("done") == "Completed")
    slow = {"HyperParameters": {"epochs": "1000000", "pause": "0.1"}}
    sagemaker.create_training_job(TrainingJobName="slow", **definition(), **slow)
    log = command.data / "sagemaker/logs/training-job/slow.log"
    command.wait_for(lambda: log.exists() and "epoch 1" in log.read_text())
    command.end(signal.SIGKILL)
    command.start()
    assert command.status("done") == "Completed"
    assert command.status("slow") == "InProgress"


def test_jobs_and_functions_see_only_the_named_variables(command: Command) -> None:
    command.client("s3").create_bucket(Bucket="bench")
    job = definition()
    job["AlgorithmSpecification"].update(ContainerEntrypoint=["python", "-c"], ContainerArguments=[TELL])
    command.client("sagemaker").create_training_job(TrainingJobName="teller", **job)
    command.make_function()
    seen = {"function": command.invoke()}
    command.wait_for(lambda: command.status("teller") == "Completed")
    log = (command.data / "sagemaker/logs/training-job/teller.log").read_text()
    seen["job"] = json.loads(log)
    for who, environment in seen.items():
        assert SECRET not in json.dumps(environment), who
        assert (environment["NAMED_ONE"], environment["NAMED_TWO"]) == ("1", "2"), who
        assert {"PATH", "HOME", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} <= set(environment), who


def test_a_running_function_does_not_outlive_the_killed_command(command: Command, tmp_path: Path) -> None:
    command.make_function()
    sleeps = tmp_path / "sleeps"
    invoked = threading.Thread(target=command.invoke, kwargs={"sleep": str(sleeps)})
    invoked.start()
    command.wait_for(sleeps.exists)
    command.end(signal.SIGKILL)
    invoked.join()


@pytest.mark.parametrize(
    ("image", "reason"),
    [("toy", "NAME=FOLDER"), ("toy=nowhere", "no Dockerfile"), ("=x", "NAME=FOLDER")],
)
def test_an_unusable_image_is_refused_at_once(tmp_path: Path, image: str, reason: str) -> None:
    words = [*PROGRAM, "--data", str(tmp_path), "--image", image]
    done = children.run(words, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 1
    assert reason in done.stdout + done.stderr


def test_a_taken_port_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["--data", str(tmp_path / "data"), "--image", f"toy={tmp_path}", "--port", str(port)]
        done = children.run([*PROGRAM, *words])
    assert done.returncode == 1
    assert "--port" in done.stdout + done.stderr
