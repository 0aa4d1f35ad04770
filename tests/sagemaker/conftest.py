"""Endpoints for the tests of this folder."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sagemaker.toy_endpoint import Endpoint


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The server that most tests share; each test uses its own job names."""
    server = Endpoint(tmp_path_factory.mktemp("endpoint"))
    yield server
    server.end()


@pytest.fixture
def own_endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """A server that the test may kill, with an hour between SIGTERM and SIGKILL for its jobs."""
    server = Endpoint(tmp_path / "endpoint", grace=3600)
    yield server
    server.end(signal.SIGKILL)
