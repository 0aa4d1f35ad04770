"""The environment variables with which boto3, the AWS CLI and both SageMaker SDKs use a local cloud."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from botocore.loaders import Loader

from ..access.credentials import Credentials, RoleSession
from ..private_file import write_private

FILE = "environment.sh"
MODELS = "models"
PYTHON_PATH = Path(__file__).with_name("python_path")
"""Holds the sitecustomize.py that Python runs at its start."""
SECONDS_BETWEEN_LOOKS = 1


def write_environment(home: Path, endpoint: str, region: str, credentials: Credentials) -> Path:
    """Write a file for a shell's `.` command that sets the variables, and the files that they name. Returns its path.

    Only its owner can read it, as it holds keys. What a person has in PYTHONPATH and AWS_DATA_PATH stays there.
    """
    _write_quick_waiters(home / MODELS)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables(endpoint, region, credentials).items()]
    for name, folder in {"PYTHONPATH": PYTHON_PATH, "AWS_DATA_PATH": home / MODELS}.items():
        lines.append(f"export {name}={shlex.quote(str(folder))}${{{name}:+:${name}}}")
    lines.append("unset AWS_PROFILE AWS_DEFAULT_PROFILE")
    write_private(home / FILE, "\n".join(lines) + "\n")
    return home / FILE


def variables(endpoint: str, region: str, credentials: Credentials) -> Mapping[str, str]:
    """Where the cloud is, and the keys of a session of the execution role, so that SDKs find a role of their caller."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **RoleSession.of(credentials).environment(),
    }


def _write_quick_waiters(models: Path) -> None:
    """SageMaker's waiters, as botocore knows them, that look each second and give up as late as they do.

    botocore finds them by AWS_DATA_PATH before its own, which look every 30 to 120 seconds.
    """
    loader = Loader()
    version = loader.determine_latest_version("sagemaker", "waiters-2")
    model = loader.load_data(f"sagemaker/{version}/waiters-2")
    waiters = {
        name: {
            **waiter,
            "delay": SECONDS_BETWEEN_LOOKS,
            "maxAttempts": waiter["maxAttempts"] * waiter["delay"] // SECONDS_BETWEEN_LOOKS,
        }
        for name, waiter in model["waiters"].items()
    }
    path = models / "sagemaker" / version / "waiters-2.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps({**model, "waiters": waiters}))
