"""A dashboard before an API whose answers a test gives."""

from collections.abc import Iterator

import pytest

from .client import Client, dashboard
from .fake_api import FakeApi, fake_api


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The API, with nothing to answer yet."""
    with fake_api() as api:
        yield api


@pytest.fixture
def client(api: FakeApi) -> Iterator[Client]:
    """A browser's way to a dashboard of that API."""
    with dashboard(api.stack) as client:
        yield client
