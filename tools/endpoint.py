"""An endpoint for the tools that run other people's programs, and the variables with which these find it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from seedbed.local_cloud.access.credentials import Credentials
from seedbed.local_cloud.environment import REGION
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import served
from seedbed.local_cloud.programs.environment import MODELS, PYTHON_PATH, variables, write_environment

ROOT = Path(__file__).parents[1]


@contextmanager
def endpoint(scratch: Path, images: Mapping[str, Path]) -> Iterator[dict[str, str]]:
    """The variables by which programs find an endpoint with these images, with all others of this process.

    It is the one that AWS_ENDPOINT_URL names, or else one that keeps what it has in the folder, while the block runs.
    """
    if "AWS_ENDPOINT_URL" in os.environ:
        yield dict(os.environ)
        return
    options = ["--no-template", "--containers", "process"]
    options += [word for name, folder in images.items() for word in ("--image", f"{name}={folder}")]
    with served(Home(scratch / "sagemaker"), 0, options) as cloud:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        yield {**own, **as_by_its_file(scratch, cloud["endpoint"], Credentials(**cloud["credentials"]))}


def as_by_its_file(folder: Path, address: str, credentials: Credentials) -> dict[str, str]:
    """What the endpoint's environment.sh sets; it is written to the folder. Python finds Seedbed in this checkout."""
    write_environment(folder, address, REGION, credentials)
    paths = {"PYTHONPATH": f"{PYTHON_PATH}{os.pathsep}{ROOT}", "AWS_DATA_PATH": str(folder / MODELS)}
    return {**variables(address, REGION, credentials), **paths}
