"""The folders that stand for images: which one an image URI means, and how its Dockerfile starts it."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import Invalid, JobFailure


@dataclass(frozen=True)
class Image:
    """A folder that stands for a container image, with the entrypoint and environment of its Dockerfile."""

    folder: Path
    entrypoint: list[str]
    environment: dict[str, str]


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
