"""The container contract, which holds for images that run as processes and in Docker."""

import io
import json
import os
import signal
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.containers.docker import Engine
from tests.sagemaker.toy_endpoint import Endpoint

SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600},
}


def fake_docker(folder: Path) -> str:
    """A PATH on which `docker` is fake_docker.py."""
    folder.mkdir(exist_ok=True)
    script = folder / "docker"
    program = Path(__file__).with_name("fake_docker.py")
    script.write_text(f'#!/bin/sh\nFAKE_DOCKER="{folder}" exec "{sys.executable}" -S "{program}" "$@"\n')
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module", params=["process", "docker's stand-in", "docker"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("contract")
    if request.param == "docker" and Engine.find(folder) is None:
        pytest.skip("no Docker engine answers here")
    containers = "process" if request.param == "process" else "docker"
    path = fake_docker(folder / "bin") if "stand-in" in request.param else os.environ["PATH"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TOKEN": "secret", "NAMED": "open", "SEEDBED_PASS_ENV": "NAMED,AWS_SESSION_TOKEN"}.items():
            patch.setenv(name, value)
        server = Endpoint(folder, containers=containers, path=path)
    yield server
    server.end()


def unpacked(endpoint: Endpoint, key: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(endpoint.read(key))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def channel(name: str, key: str, kind: str = "S3Prefix", **more: str) -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": f"s3://bench/{key}", **more}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def statuses(job: dict[str, Any]) -> list[str]:
    return [step["Status"] for step in job["SecondaryStatusTransitions"]]


def test_every_channel_is_downloaded_and_model_and_output_uploaded(endpoint: Endpoint) -> None:
    manifest = [{"prefix": "s3://bench/in/"}, "Maize/1.txt"]
    endpoint.s3.put_object(Bucket="bench", Key="some.json", Body=json.dumps(manifest).encode())
    channels = [
        channel("all", "in/", S3DataDistributionType="ShardedByS3Key"),
        channel("some", "some.json", "ManifestFile"),
    ]
    endpoint.train("channels", {"output": "done", "rate": "0.4"}, InputDataConfig=channels)
    job = endpoint.ended("training", "channels")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = json.loads(unpacked(endpoint, "out/channels/output/model.tar.gz")["seen.json"])
    assert seen["files"] == ["all/Common wheat/a+b 100%.txt", "all/Maize/1.txt", "some/Maize/1.txt"]
    assert seen["hyperparameters"] == {"output": "done", "rate": "0.4"}
    assert seen["job"] == "channels"
    assert seen["environment"]["NAMED"] == "open"
    assert not {"TOKEN", "AWS_SESSION_TOKEN"} & seen["environment"].keys()
    assert unpacked(endpoint, "out/channels/output/output.tar.gz") == {"notes.txt": b"done"}


def test_a_model_can_be_uploaded_uncompressed(endpoint: Endpoint) -> None:
    endpoint.train("plain", OutputDataConfig={"S3OutputPath": "s3://bench/out", "CompressionType": "NONE"})
    job = endpoint.ended("training", "plain")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://bench/out/plain/output/model/"
    assert json.loads(endpoint.read("out/plain/output/model/seen.json"))["job"] == "plain"


def test_exit_code_and_failure_file_become_the_reason(endpoint: Endpoint) -> None:
    endpoint.train("fails", {"fail": "no seedlings"})
    assert endpoint.ended("training", "fails")["FailureReason"] == "AlgorithmError: no seedlings, exit code: 3"


def test_a_stopped_container_is_killed_after_the_grace(endpoint: Endpoint) -> None:
    endpoint.train("deaf", {"epochs": "1000000", "pause": "0.1", "ignore_term": "1"})
    endpoint.eventually(lambda: "epoch 1" in endpoint.log("training-job", "deaf"))
    endpoint.sagemaker.stop_training_job(TrainingJobName="deaf")
    assert endpoint.ended("training", "deaf")["TrainingJobStatus"] == "Stopped"
    assert endpoint.processes("deaf") == []


def test_checkpoints_reach_s3_during_the_job_and_a_later_job_resumes(endpoint: Endpoint) -> None:
    config = {"CheckpointConfig": {"S3Uri": "s3://bench/points/shared"}}
    endpoint.train("first", {"epochs": "1000000", "pause": "0.05", "checkpoints": "checkpoints"}, **config)
    kept = {"Bucket": "bench", "Prefix": "points/shared/epoch.txt"}
    endpoint.eventually(lambda: endpoint.s3.list_objects_v2(**kept).get("Contents"))
    assert endpoint.status("training", "first") == "InProgress"
    endpoint.sagemaker.stop_training_job(TrainingJobName="first")
    endpoint.ended("training", "first")
    reached = int(endpoint.read("points/shared/epoch.txt"))
    assert f"epoch {reached} " in endpoint.log("training-job", "first"), "the last sync is at the end"
    endpoint.train("second", {"epochs": str(reached + 2), "checkpoints": "checkpoints"}, **config)
    assert endpoint.ended("training", "second")["TrainingJobStatus"] == "Completed"
    assert f"resumed at {reached + 1}" in endpoint.log("training-job", "second")


def test_checkpoints_are_in_the_jobs_local_path(endpoint: Endpoint) -> None:
    config = {"S3Uri": "s3://bench/points/elsewhere", "LocalPath": "/opt/ml/mine"}
    endpoint.train("elsewhere", {"checkpoints": "mine"}, CheckpointConfig=config)
    assert endpoint.ended("training", "elsewhere")["TrainingJobStatus"] == "Completed"
    assert endpoint.read("points/elsewhere/epoch.txt") == b"2"


def test_an_interrupted_spot_job_resumes_from_its_checkpoint(endpoint: Endpoint) -> None:
    given = {"epochs": "12", "checkpoints": "checkpoints", **endpoint.held(3)}
    endpoint.train("spot", given, CheckpointConfig={"S3Uri": "s3://bench/points/spot"}, **SPOT)
    endpoint.eventually(lambda: "epoch 3 " in endpoint.log("training-job", "spot"))
    assert endpoint.interrupt("spot", seconds=2)[0] == 200
    endpoint.let_go()
    job = endpoint.ended("training", "spot")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert statuses(job) == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    said = endpoint.log("training-job", "spot")
    assert "resumed at " in said
    assert said.count("epoch 12 ") == 1
    assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"], "the wait costs nothing"


def test_an_output_in_continuous_mode_reaches_s3_while_the_job_runs(endpoint: Endpoint) -> None:
    request = endpoint.processing_request("continuous", ("early", "slow"))
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    endpoint.sagemaker.create_processing_job(**request)
    kept = {"Bucket": "bench", "Prefix": "processed/continuous/early.txt"}
    endpoint.eventually(lambda: endpoint.s3.list_objects_v2(**kept).get("Contents"))
    assert endpoint.status("processing", "continuous") == "InProgress"
    endpoint.sagemaker.stop_processing_job(ProcessingJobName="continuous")
    assert endpoint.ended("processing", "continuous")["ProcessingJobStatus"] == "Stopped"


def test_a_failed_processing_job_has_its_message_and_no_outputs(endpoint: Endpoint) -> None:
    endpoint.process_images("broken", ("broken",))
    job = endpoint.ended("processing", "broken")
    assert job["FailureReason"] == "AlgorithmError: the toy broke, exit code: 1"
    assert "Contents" not in endpoint.s3.list_objects_v2(Bucket="bench", Prefix="processed/broken/")


def test_without_docker_auto_runs_processes_and_docker_fails(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text("#!/bin/sh\necho Client: here\necho no engine >&2\nexit 1\n")
    (folder / "docker").chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    for containers, status in (("auto", "Completed"), ("docker", "Failed")):
        server = Endpoint(tmp_path / containers, containers=containers, path=path)
        try:
            server.train("one")
            job = server.ended("training", "one")
        finally:
            server.end()
        assert job["TrainingJobStatus"] == status
    assert "No Docker engine answers" in job["FailureReason"]


def test_a_container_left_by_a_crash_is_removed_and_its_job_continues(tmp_path: Path) -> None:
    server = Endpoint(tmp_path / "endpoint", containers="docker", path=fake_docker(tmp_path / "bin"))
    try:
        given = {"epochs": "9", "checkpoints": "checkpoints", **server.held()}
        server.train("lives", given, CheckpointConfig={"S3Uri": "s3://bench/points/lives"})
        kept = {"Bucket": "bench", "Prefix": "points/lives/epoch.txt"}
        server.eventually(lambda: server.s3.list_objects_v2(**kept).get("Contents"))
        before = server.processes("lives")
        assert before
        server.end(signal.SIGKILL)
        server.start()
        server.eventually(lambda: not set(before) & set(server.processes("lives")))
        server.let_go()
        job = server.ended("training", "lives")
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert "Restarting" in statuses(job)
        assert "resumed at " in server.log("training-job", "lives")
    finally:
        server.end(signal.SIGKILL)
