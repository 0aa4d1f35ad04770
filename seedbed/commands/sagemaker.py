"""`seedbed sagemaker`: the SageMaker endpoint and the local cloud's other services, for your own containers."""

import shlex
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ..errors import SeedbedError
from ..local_cloud.access.credentials import Credentials
from ..local_cloud.environment import REGION
from ..local_cloud.home.folder import Home
from ..local_cloud.process import served
from ..local_cloud.programs.environment import write_environment
from ..local_cloud.sagemaker.containers.images import dockerfile_of, read_image, repository_of
from ..local_cloud.sagemaker.containers.namespaces import refusal
from ..local_cloud.sagemaker.errors import JobFailure
from ..local_cloud.sagemaker.settings import INSTANCES
from ..terminal.console import results, say
from .options import Port
from .show import STOP_HINT

EXAMPLE = """aws s3 mb s3://bench
aws sagemaker create-training-job --training-job-name first \\
  --algorithm-specification TrainingImage={image},TrainingInputMode=File \\
  --output-data-config S3OutputPath=s3://bench/models --role-arn arn:aws:iam::000000000000:role/any \\
  --resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1 \\
  --stopping-condition MaxRuntimeInSeconds=3600
aws sagemaker describe-training-job --training-job-name first"""


class Containers(StrEnum):
    """How images are run."""

    auto = "auto"
    process = "process"
    docker = "docker"


def sagemaker(
    image: Annotated[
        list[str],
        typer.Option(metavar="NAME=FOLDER", help="An image's repository, and its Dockerfile or the folder of that."),
    ],
    port: Port = 4566,
    data: Annotated[Path, typer.Option(help="The folder for its state.")] = Path(".seedbed-sagemaker"),
    containers: Annotated[
        Containers, typer.Option(help="Run images as processes, in Docker, or (auto) in Docker if it is running.")
    ] = Containers.auto,
    instances: Annotated[
        int,
        typer.Option(min=1, max=250, help="How many instances jobs with several can have in use at once."),
    ] = INSTANCES,
) -> None:
    """Serve a SageMaker endpoint for your own containers until Ctrl-C. It resumes where it was stopped."""
    options = ["--containers", containers.value, "--instances", str(instances)]
    serve_sagemaker(port, data, dict(parse_image(text, containers) for text in image), options, results())


def serve_sagemaker(port: int, data: Path, folders: dict[str, Path], options: list[str], console: Console) -> None:
    """Serve images from their folders until interrupted, with the state in `data`. options: of the local cloud."""
    options = ["--no-template", *options]
    for name, folder in folders.items():
        options += ["--image", f"{name}={folder}"]
    home = Home(data.absolute())
    with served(home, port, options) as cloud:
        if Containers.docker.value not in options and refusal():
            say(f"Jobs that run as processes find their files below SAGEMAKER_BASE_DIR: {refusal()}.")
        credentials = Credentials(**cloud["credentials"])
        environment = write_environment(home.path, cloud["endpoint"], REGION, credentials)
        print_usage(cloud, folders, home, environment, console)
        while home.is_served():
            time.sleep(0.5)
        raise SeedbedError(f"The endpoint has stopped unexpectedly; {home.log} says why.")


def parse_image(text: str, containers: str) -> tuple[str, Path]:
    """NAME=FOLDER as the repository's name and the absolute path of its Dockerfile or the folder of that.

    A Dockerfile that Docker is to read is not read here.

    Raises SeedbedError for an image that can't be run.
    """
    name, _, folder = text.partition("=")
    repository, path = repository_of(name), Path(folder).absolute()
    if not repository or not folder:
        raise SeedbedError(f"--image needs NAME=FOLDER, where FOLDER holds a Dockerfile; got: {text}")
    try:
        (dockerfile_of if containers == Containers.docker else read_image)(path)
    except JobFailure as failure:
        raise SeedbedError(
            f"The image {repository} can't be run: {str(failure).removeprefix('ClientError: ')}"
        ) from failure
    return repository, path


def print_usage(
    cloud: Mapping[str, Any], folders: dict[str, Path], home: Home, environment: Path, console: Console
) -> None:
    lines = [
        f"SageMaker training, tuning and processing jobs, endpoints, S3 and more are served at {cloud['endpoint']}.",
        f"The state is in {home.path}, the log in {home.log}. Images:",
        *(f"  {name} from {folder}" for name, folder in folders.items()),
        "\nIn another terminal:\n",
        f". {shlex.quote(str(environment))}",
        EXAMPLE.format(image=next(iter(folders))),
        f"\n{STOP_HINT}",
    ]
    console.print("\n".join(lines), soft_wrap=True)
