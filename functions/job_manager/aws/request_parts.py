"""What the requests for all jobs have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.plan import Machine
from ..domain.run import Run
from ..domain.search_space import OBJECTIVE_METRIC


@dataclass(frozen=True)
class RequestParts:
    """The stack's bucket and the role of its jobs; `objective` is the metric that tuning raises."""

    bucket: str
    role: str
    objective: str = OBJECTIVE_METRIC
    stack: str = "seedbed"

    def tags(self, run: Run) -> list[dict[str, str]]:
        """Cost-allocation tags; a tuning job passes them on to its training jobs."""
        tags = {"project": "seedbed", "stack": self.stack, "run": run.run_id}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def uri(self, key: str) -> str:
        """A key's s3:// address."""
        return f"s3://{self.bucket}/{key}"


def weights(run: Run) -> dict[str, str]:
    """The input with a backbone's weights, if they are in the bucket, by its name."""
    return {"pretrained": run.plan.pretrained} if run.plan.pretrained else {}


def cluster(machine: Machine, volume_gib: int, instances: int = 1) -> Mapping[str, Any]:
    """The instances of a job, each with a disk of its own."""
    return {"InstanceType": machine.instance_type, "InstanceCount": instances, "VolumeSizeInGB": volume_gib}
