"""SageMaker's container contract: the files below /opt/ml, for which the job's working directory stands."""

import json
import os
from pathlib import Path
from typing import Any

from ..errors import REASON_LENGTH, Invalid
from ..kinds import Body
from .terminal_text import visible

ROOT = "/opt/ml"


def moved(text: str, base: Path) -> str:
    """A path below /opt/ml as its path on this machine; other text unchanged."""
    return f"{base}{text[len(ROOT) :]}" if text == ROOT or text.startswith(f"{ROOT}/") else text


def local_path(text: str, base: Path) -> Path:
    """The directory that stands for a LocalPath. Raises Invalid for one outside /opt/ml."""
    path = Path(os.path.normpath(text))
    if not path.is_relative_to(ROOT) or path == Path(ROOT):
        raise Invalid(f"LocalPath '{text}' must lie below {ROOT}.")
    return base / path.relative_to(ROOT)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_resource_config(directory: Path, asked: Body) -> None:
    """Writes resourceconfig.json. asked: the job's ResourceConfig or ClusterConfig."""
    group = asked.get("InstanceGroups", [asked])[0]
    name, instance_type = group.get("InstanceGroupName", "homogeneousCluster"), group.get("InstanceType", "local")
    content = {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "current_instance_type": instance_type,
        "current_group_name": name,
        "instance_groups": [{"instance_group_name": name, "instance_type": instance_type, "hosts": ["algo-1"]}],
        "network_interface_name": "lo",
    }
    write_json(directory / "resourceconfig.json", content)


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
