"""Images whose Dockerfiles are as AWS's samples and other people's have them, run as processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.containers import docker
from seedbed.local_cloud.sagemaker.containers.docker import Engine
from tests.sagemaker.toy_endpoint import Endpoint

BYO = """FROM ubuntu:22.04
ENV PYTHONUNBUFFERED=TRUE
ENV PATH="/opt/program:${PATH}"
COPY program /opt/program
WORKDIR /opt/program
"""
REFERS = """FROM x
ENV SM_INPUT /opt/ml/input
ENV SM_CONFIG $SM_INPUT/config/hyperparameters.json
ENTRYPOINT python t.py
"""
IMAGES = {
    "byo": {
        "Dockerfile": BYO,
        "program/train": "#!/usr/bin/env python3\nimport own\n",
        "program/own.py": "print('own')",
    },
    "refers": {"Dockerfile": REFERS, "t.py": "import os\nprint(os.environ['SM_CONFIG'])\n"},
    "cpu": {"Dockerfile.cpu": 'FROM x\nENTRYPOINT ["python", "-c", "print(3)"]\n'},
    "nothing": {"Dockerfile": "FROM x\n"},
    "windows": {"Dockerfile": BYO, "program/train": "#!/bin/sh\r\necho\r\n"},
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("images")
    for name, files in IMAGES.items():
        for path, content in files.items():
            file = folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode())
            file.chmod(0o755)
    images = {name: folder / name for name in IMAGES} | {"cpu": folder / "cpu/Dockerfile.cpu"}
    server = Endpoint(folder / "endpoint", images=images)
    yield server
    server.end()


def trained(endpoint: Endpoint, image: str) -> dict[str, Any]:
    """The job of an image, once it has ended."""
    specification = {"TrainingImage": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{image}:1"}
    endpoint.train(image, AlgorithmSpecification={**specification, "TrainingInputMode": "File"})
    return endpoint.ended("training", image)


@pytest.mark.parametrize(
    ("image", "said"),
    [("byo", "own\n"), ("refers", "/opt/ml/input/config/hyperparameters.json\n"), ("cpu", "3\n")],
)
def test_an_image_runs_as_its_dockerfile_says(endpoint: Endpoint, image: str, said: str) -> None:
    job = trained(endpoint, image)
    assert (job["TrainingJobStatus"], endpoint.log("training-job", image)) == ("Completed", said)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("nothing", "ClientError: the image has no program 'train' on its PATH and no ENTRYPOINT."),
        ("windows", "ClientError: {}/windows/program/train has Windows line ends (CRLF)"),
    ],
)
def test_an_image_that_cannot_start_says_why(endpoint: Endpoint, image: str, reason: str) -> None:
    job = trained(endpoint, image)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason.format(endpoint.data_dir.parent))


@pytest.mark.parametrize(("name", "options"), [("Dockerfile", []), ("Dockerfile.cpu", ["--file", "{}/Dockerfile.cpu"])])
def test_docker_builds_the_dockerfile_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: list[str]
) -> None:
    commands: list[list[str]] = []

    def answer(words: list[str], seconds: float) -> Any:
        commands.append(words)
        return type("Answer", (), {"returncode": int(words[0] == "image"), "stderr": ""})

    monkeypatch.setattr(docker, "_docker", answer)
    place = tmp_path / name
    place.write_text("FROM a\n")
    Engine("owner", shares_network=True).image("toy:1", place if options else tmp_path)
    own_name = [word.format(tmp_path) for word in options]
    assert commands[-1] == ["build", "--quiet", "--tag", "seedbed-local/toy", *own_name, str(tmp_path)]
