"""The folders that stand for images: which one an image URI means, and how its Dockerfile starts it."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import Invalid, JobFailure
from .dockerfile import DockerfileError, decode
from .image_files import is_file
from .stages import Stage, last_stage

DOCKERFILES = ("Dockerfile", "dockerfile", "Containerfile")
MAX_BYTES = 2**20


@dataclass(frozen=True)
class Image:
    """A Dockerfile that stands for a container image, and what its last stage says about starting it."""

    dockerfile: Path
    stage: Stage

    @property
    def folder(self) -> Path:
        return self.dockerfile.parent

    @property
    def entrypoint(self) -> list[str]:
        return self.stage.entrypoint

    @property
    def environment(self) -> dict[str, str]:
        return self.stage.environment

    @property
    def working_folder(self) -> Path:
        """The folder here for the image's working directory: the Dockerfile's own if that was not copied."""
        return self.stage.files.find_folder(self.stage.working_directory) or self.folder


def repository_of(uri: str) -> str:
    """An image URI's last part, without tag or digest."""
    return re.split("[:@]", uri.rsplit("/", 1)[-1])[0]


def folder_of(uri: str, images: Mapping[str, Path]) -> Path:
    """The folder that stands for an image URI. Raises Invalid if there is none for its repository."""
    repository = repository_of(uri)
    if repository not in images:
        known = ", ".join(sorted(images)) or "none"
        raise Invalid(
            f"There is no folder for the image repository '{repository}' (of {uri}). Known repositories: {known}."
            f" To add it: seedbed sagemaker --image {repository}=FOLDER, where FOLDER holds its Dockerfile."
        )
    return Path(images[repository])


def dockerfile_of(place: Path) -> Path:
    """The Dockerfile of a folder, or the file itself. Raises JobFailure."""
    if is_file(place):
        return place
    for name in DOCKERFILES:
        if is_file(place / name):
            return place / name
    others = sorted(path.name for path in place.glob("*ockerfile*") if is_file(path))
    if not others:
        raise JobFailure(f"ClientError: {place} has no Dockerfile that can be read.")
    raise JobFailure(
        f"ClientError: {place} has no Dockerfile, but {' and '.join(others[:5])}. Give one of them with its name,"
        f" as in --image NAME={place / others[0]}."
    )


def read_image(place: Path) -> Image:
    """Reads how the image of a Dockerfile starts. place: its folder, or the file itself. Raises JobFailure."""
    path = dockerfile_of(place)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise JobFailure(f"ClientError: {path} can't be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise JobFailure(f"ClientError: {path} is larger than 1 MiB: is it a Dockerfile?")
    text = decode(content)
    if "\0" in text:
        raise JobFailure(f"ClientError: {path} is not a text: is it a Dockerfile?")
    try:
        stage = last_stage(text, path.parent, own_search_path())
    except DockerfileError as error:
        raise JobFailure(f"ClientError: {path}, {error}.") from error
    return Image(path, stage)


def own_search_path() -> str:
    """PATH of a job that runs as a process: the programs of this Python, then those of this machine."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
