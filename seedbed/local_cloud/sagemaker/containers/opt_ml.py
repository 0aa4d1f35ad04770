"""The container contract on disk: what SageMaker puts below /opt/ml, here below the job's working directory."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...passed_environment import passed_to_jobs
from ..errors import Invalid, JobFailure
from ..kinds import Body, Settings

ROOT = "/opt/ml"
REASON_LENGTH = 1024


@dataclass(frozen=True)
class Image:
    """A folder that stands for a container image: how it starts, and the environment its Dockerfile sets."""

    folder: Path
    entrypoint: list[str]
    environment: dict[str, str]


def repository_of(uri: str) -> str:
    """An image URI's last part, without tag or digest."""
    return re.split("[:@]", uri.rsplit("/", 1)[-1])[0]


def folder_of(uri: str, images: Mapping[str, Path]) -> Path:
    """The folder an image URI stands for. Raises Invalid where nobody gave one for its repository."""
    repository = repository_of(uri)
    if repository not in images:
        known = ", ".join(sorted(images)) or "none"
        raise Invalid(
            f"There is no folder for the image repository '{repository}' (of {uri}). Known repositories: {known}."
            f" To add it: seedbed sagemaker --image {repository}=FOLDER, where FOLDER holds its Dockerfile."
        )
    return Path(images[repository])


def read_image(folder: Path) -> Image:
    """Reads the folder's Dockerfile: the last ENTRYPOINT, in its exec form, and each ENV. Raises JobFailure."""
    try:
        text = (folder / "Dockerfile").read_text()
    except OSError as error:
        raise JobFailure(f"ClientError: {folder} has no Dockerfile that can be read: {error.strerror}") from error
    entrypoint: list[str] = []
    environment: dict[str, str] = {}
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "ENTRYPOINT":
            entrypoint = _exec_form(folder, rest)
        elif word.upper() == "ENV":
            environment.update(_assignments(rest))
    return Image(folder, entrypoint, environment)


def _exec_form(folder: Path, text: str) -> list[str]:
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise JobFailure(
            f'ClientError: the ENTRYPOINT in {folder}/Dockerfile must be in exec form: ["python", "-m", "…"]'
        )
    return words


def _assignments(text: str) -> dict[str, str]:
    if "=" not in text.split(" ", 1)[0]:
        name, _, value = text.partition(" ")
        return {name: value.strip()}
    return dict(word.split("=", 1) for word in shlex.split(text) if "=" in word)


def moved(text: str, base: Path) -> str:
    """A path below /opt/ml as the path it has on this machine; other text as it is."""
    return f"{base}{text[len(ROOT) :]}" if text == ROOT or text.startswith(f"{ROOT}/") else text


def local_path(text: str, base: Path) -> Path:
    """The directory that stands for a LocalPath. Raises Invalid for one outside /opt/ml."""
    path = Path(os.path.normpath(text))
    if not path.is_relative_to(ROOT) or path == Path(ROOT):
        raise Invalid(f"LocalPath '{text}' must lie below {ROOT}.")
    return base / path.relative_to(ROOT)


def command(image: Image, specification: Body, arguments: list[str], base: Path) -> list[str]:
    """What runs: the job's own entrypoint or the image's, then the job's own arguments or those of its kind."""
    start = specification.get("ContainerEntrypoint") or image.entrypoint
    if not start:
        raise JobFailure(f"ClientError: {image.folder}/Dockerfile has no ENTRYPOINT, and the job names none.")
    return [moved(word, base) for word in (*start, *(specification.get("ContainerArguments") or arguments))]


def environment(image: Image, settings: Settings, base: Path, threads: int, job: Mapping[str, str]) -> dict[str, str]:
    """The process's environment: what jobs see of this program's own, then the image's, then the job's."""
    return {
        **passed_to_jobs(os.environ),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        **threading(threads),
        **image.environment,
        **aws(settings, settings.endpoint_url),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_BASE_DIR": str(base),
        **job,
    }


def threading(threads: int) -> dict[str, str]:
    """Jobs that run beside each other share the machine's cores."""
    return dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads))


def aws(settings: Settings, endpoint_url: str) -> dict[str, str]:
    """Where the container finds AWS, and as whom."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        **settings.credentials.environment(),
    }


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_resource_config(base: Path, directory: str, instance_type: str) -> None:
    content = {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": ["algo-1"]}
        ],
        "network_interface_name": "lo",
    }
    write_json(base / directory / "resourceconfig.json", content)


def read_message(path: Path) -> str:
    """What the container left for people, at most 1,024 characters; empty where it left nothing."""
    try:
        with path.open("rb") as file:
            return file.read(4 * REASON_LENGTH).decode(errors="replace").strip()[:REASON_LENGTH]
    except OSError:
        return ""
