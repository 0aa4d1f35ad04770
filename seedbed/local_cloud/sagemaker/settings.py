"""The endpoint's settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore.exceptions import UnknownRegionError

from ..access.credentials import Credentials
from .kinds import Kind

INSTANCES = 8


@dataclass(frozen=True)
class EndpointSettings:
    """The endpoint's addresses, folders and options.

    data_dir: jobs.db, logs/, jobs/ (working directories) and cache/ (downloaded objects) lie below it.
    images: repository name (an image URI's last part, without tag or digest) → the folder with its Dockerfile.
    endpoint_url: where S3, SQS, Lambda, EventBridge and CloudWatch Logs answer.
    credentials: those that they accept; jobs get them too.
    stop_grace: seconds between SIGTERM and SIGKILL; AWS gives 120.
    containers: `process` runs an image's ENTRYPOINT on this machine, `docker` runs the image, and `auto` runs it if a
      Docker engine answers that has the image or can build it.
    environments: whether what images and jobs install with pip goes into Python environments of their own; otherwise
      jobs run in Seedbed's, which has all that its own trainer needs.
    instances: how many instances jobs with several instances can have in use at once, for training and for processing.
    cache_bytes: how much of the downloaded objects is kept for later jobs.
    """

    data_dir: Path
    images: Mapping[str, Path]
    endpoint_url: str
    region: str
    account: str
    credentials: Credentials
    stop_grace: float
    containers: str = "process"
    environments: bool = True
    instances: int = INSTANCES
    cache_bytes: int = 5 * 2**30

    def arn(self, kind: Kind, name: str, region: str) -> str:
        """SageMaker writes names in ARNs in lower case. region: of the client that creates the job."""
        return f"arn:{partition_of(region)}:sagemaker:{region}:{self.account}:{kind.resource}/{name.lower()}"

    def log_path(self, kind: Kind, name: str, host: int = 1) -> Path:
        """Where a host's output is kept. No job's name has a point, so the names of the files differ."""
        own = "" if host == 1 else f".algo-{host}"
        return self.data_dir / "logs" / kind.resource / f"{name.lower()}{own}.log"

    def work_dir(self, kind: Kind, name: str) -> Path:
        return self.data_dir / "jobs" / f"{kind.resource}-{name.lower()}"


@cache
def partition_of(region: str) -> str:
    """The partition in the ARNs of a region, such as aws or aws-cn; aws for a region that nobody knows."""
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"


def region_of(arn: str) -> str:
    """The region in an ARN."""
    return arn.split(":")[3]


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
