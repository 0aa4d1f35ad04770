"""No test talks to another machine or with anybody's credentials."""

import os
import socket
import urllib.request

import pytest

from tests.conftest import ReachedOut
from tests.waiting import PATIENCE


def test_another_machine_cannot_be_connected_to() -> None:
    with socket.socket() as other, pytest.raises(ReachedOut, match=r"192\.0\.2\.1"):
        other.connect(("192.0.2.1", 80))


def test_another_machines_name_cannot_be_resolved() -> None:
    with pytest.raises(ReachedOut, match=r"example\.com"):
        urllib.request.urlopen("http://example.com/", timeout=1)


def test_this_machine_can_be_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=PATIENCE).close()


def test_credentials_are_not_real() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"
    assert "AWS_PROFILE" not in os.environ
