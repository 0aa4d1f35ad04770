"""A job whose process is killed, as the kernel does when memory runs out, has a reason that says what to lower."""

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

LONG = {"epochs": "1000000", "pause": "0.05"}
KILLED = (
    "AlgorithmError: Killed by signal 9 (SIGKILL), probably for too little memory: lower what the job holds at once"
)


def kill(endpoint: "Endpoint", name: str) -> None:
    endpoint.eventually(lambda: endpoint.processes(name))
    for pid in endpoint.processes(name):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("kind", ["training", "processing", "tuning"])
def test_a_killed_jobs_reason_is_too_little_memory(kind: str, endpoint: "Endpoint") -> None:
    name = f"killed-{kind}"
    if kind == "training":
        endpoint.train(name, LONG)
    elif kind == "processing":
        endpoint.process_images(name, ("slow",))
    else:
        endpoint.tune(name, LONG, ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1})
    kill(endpoint, name)
    reason = endpoint.ended(kind, name)["FailureReason"]
    assert reason.removeprefix("All training jobs failed. The last one said: ").startswith(KILLED)
    assert reason.endswith(", exit code: 137")
