"""Endpoints for the tests of this folder."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import BUCKET, Endpoint
else:
    from toy_endpoint import BUCKET, Endpoint


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The server that most tests share; each uses job names of its own."""
    server = Endpoint(tmp_path_factory.mktemp("endpoint"))
    for key in ("Maize/1.txt", "Common wheat/a+b 100%.txt"):
        server.s3.put_object(Bucket=BUCKET, Key=f"in/{key}", Body=key.encode())
    yield server
    server.end()


@pytest.fixture
def own_endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """A server that the test may kill."""
    server = Endpoint(tmp_path / "endpoint")
    yield server
    server.end(signal.SIGKILL)
