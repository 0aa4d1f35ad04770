"""The deployed stack on an emulated AWS, the events that wake it, and the run that they are about."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from job_manager import wiring
from job_manager.aws.events import changed_run
from job_manager.domain.run import Run
from predictor import wiring as predictions
from tests.contract.template import ROOT
from tests.fakes.jobs import MemoryJobs
from tests.fakes.neighbours import MemoryClock
from tests.handlers.deployed import Deployed, Event, deploy, forget_what_is_warm


@pytest.fixture
def event() -> Callable[[str], Event]:
    """An event of events/, by name."""

    def read(name: str) -> Event:
        content: Event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
        return content

    return read


@pytest.fixture(scope="session", autouse=True)
def decoders() -> Iterator[None]:
    """The process that decodes images for predictions serves all tests, and is ended after them."""
    yield
    predictions.decoders().close()
    predictions.decoders.cache_clear()


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """The stack, with nothing warm from another test."""
    with mock_aws():
        template = deploy()
        for name, value in template.environment.items():
            monkeypatch.setenv(name, value)
        stack = Deployed(template, MemoryJobs(MemoryClock()))
        boto3.setup_default_session()
        session: Any = boto3.DEFAULT_SESSION
        session.events.register("before-call", stack.watch)
        forget_what_is_warm()
        vars(wiring.aws())["jobs"] = stack.jobs
        yield stack
        forget_what_is_warm()
        boto3.setup_default_session()


@pytest.fixture
def ended(event: Callable[[str], Event]) -> Run:
    """The run that the events are about, at its end."""
    (record,) = event("run_ended")["Records"]
    return changed_run({"body": record["dynamodb"]["NewImage"]["body"]["S"]})


@pytest.fixture
def run(ended: Run) -> Run:
    """The run that the events are about, at its start."""
    return Run(ended.run_id, ended.plan, ended.created_at)
