"""One container that serves: what becomes of it when it does not answer, or ends again and again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.containers.launcher import BIND_TO_PORT, ContainerSpec
from seedbed.local_cloud.sagemaker.containers.process import Launch, ProcessRunner
from seedbed.local_cloud.sagemaker.hosting import instance
from seedbed.local_cloud.sagemaker.hosting.instance import Instance
from seedbed.local_cloud.sagemaker.hosting.owner import Owner
from seedbed.local_cloud.sagemaker.hosting.plans import ModelData, VariantPlan
from seedbed.local_cloud.sagemaker.jobs import JobThreads
from tests.sagemaker.settings import endpoint_settings
from tests.waiting import wait_for

BODY = {"EndpointName": "one", "EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/one"}
DEAF = "import time; print('still thinking', flush=True); time.sleep(600)"


class Services:
    """What an instance needs of the endpoint; its container is a program of Python."""

    def __init__(self, folder: Path, program: str) -> None:
        self.program = program
        self.settings = endpoint_settings(folder)
        self.runner = ProcessRunner(1.0)
        self.job_threads = JobThreads()
        self.notes: list[str] = []
        self.starts = 0
        self.launcher: Any = SimpleNamespace(ready=lambda image: None, launch=self.launch, moves_opt_ml=lambda image: 0)
        self.cloudwatch: Any = SimpleNamespace(
            of=lambda region: SimpleNamespace(line=lambda _, line: self.notes.append(line))
        )
        self.ledger: Any = SimpleNamespace(store=SimpleNamespace(remember=lambda *_, **__: None))
        self.transfer = None

    def launch(self, spec: ContainerSpec) -> Launch:
        self.starts += 1
        variables = {BIND_TO_PORT: str(spec.port), "PYTHONUNBUFFERED": "1"}
        return Launch([sys.executable, "-c", self.program], spec.base, variables, spec.log_path, spec.seconds)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    """Makes an instance with services of its own, which end with the test."""
    all_made: list[Services] = []

    def make(program: str, seconds: float, *, keeps_trying: bool = False) -> tuple[Services, Instance]:
        services: Any = Services(tmp_path, program)
        all_made.append(services)
        plan = VariantPlan("AllTraffic", "model", "image", ModelData(), startup_seconds=seconds)  # type: ignore[arg-type]
        one = Instance(services, Owner.endpoint(BODY), plan, keeps_trying=keeps_trying)
        one.start()
        return services, one

    yield make
    for services in all_made:
        services.job_threads.shutdown(30)
        services.runner.close()


def test_a_container_that_does_not_answer_in_time_is_given_up(made: Any) -> None:
    _, one = made(DEAF, 1.0)

    wait_for(lambda: one.has_ended)
    assert not one.is_ready
    assert "did not answer GET /ping in 1.0 s" in one.failure
    assert "still thinking" in one.failure


def test_a_container_that_ends_is_started_again_after_longer_and_longer(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "FIRST_PAUSE", 0.01)
    services, one = made("print('oh no'); raise SystemExit(4)", 60.0, keeps_trying=True)

    wait_for(lambda: services.starts >= 4)
    one.stop()
    one.wait_until_ended()
    assert one.failure == ""
    assert sum("is started again" in note and "exit code: 4" in note for note in services.notes) >= 3


def test_a_container_that_waits_to_be_started_again_can_be_ended(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "FIRST_PAUSE", 86_400)
    services, one = made("raise SystemExit(4)", 60.0, keeps_trying=True)
    wait_for(lambda: any("is started again" in note for note in services.notes))
    one.stop()

    wait_for(lambda: one.has_ended)
    assert services.starts == 1
