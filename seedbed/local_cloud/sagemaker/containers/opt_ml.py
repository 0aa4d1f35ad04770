"""SageMaker's container contract: the files below /opt/ml, for which the job's working directory stands."""

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import REASON_LENGTH, Invalid, JobFailure
from .image_files import ImageFiles
from .terminal_text import visible

ROOT = "/opt/ml"
MOVED = f"{ROOT} is not there for a process here: its files are below SAGEMAKER_BASE_DIR."


def moved(text: str, base: Path, root: str = ROOT) -> str:
    """A path below /opt/ml, or another root, as its path below `base`; other text unchanged."""
    return f"{base}{text[len(root) :]}" if text == root or text.startswith(f"{root}/") else text


def local_path(text: str, base: Path) -> Path:
    """The directory that stands for a LocalPath. Raises Invalid for one outside /opt/ml."""
    path = Path(os.path.normpath(text))
    if not path.is_relative_to(ROOT) or path == Path(ROOT):
        raise Invalid(f"LocalPath '{text}' must lie below {ROOT}.")
    return base / path.relative_to(ROOT)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def add_image_files(base: Path, files: ImageFiles, left_out: Path) -> None:
    """Copies what an image has below /opt/ml, but for the folders that SageMaker mounts there. Raises JobFailure.

    left_out: a folder that is not copied, as it holds the jobs themselves.
    """
    mounted = {path.name for path in base.iterdir()}
    for name, here in files.below(ROOT):
        if name.split("/")[0] in mounted:
            continue
        target = base / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if here.is_dir():
                skip = partial(_skipped, {left_out, *(here / top for top in (mounted if name == "." else ()))})
                shutil.copytree(here, target, symlinks=True, ignore=skip, dirs_exist_ok=True)
            else:
                shutil.copy2(here, target)
        except OSError as error:
            raise JobFailure(f"ClientError: {here} can't be copied to {ROOT}/{name}: {error}") from error


def _skipped(paths: set[Path], folder: str, names: list[str]) -> set[str]:
    return {name for name in names if Path(folder, name) in paths}


def read_message(base: Path, name: str) -> str:
    """The message in a file below `base`, as a terminal would show it, at most 1,024 characters; empty without one.

    A pipe or device is no message, and neither is a file of this machine that a link leads to.
    """
    path = Path(os.path.realpath(base / name))
    if not path.is_relative_to(os.path.realpath(base)) or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            text = file.read(4 * REASON_LENGTH).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(visible(line) for line in text.split("\n")).strip()[:REASON_LENGTH]
