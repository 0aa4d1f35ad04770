"""No test reaches out or depends on who runs it: credentials are invented, and only this machine answers."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from hypothesis import HealthCheck, Phase, settings

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}
REAL_ACCOUNT = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
TERMINAL = ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES")
MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
UMASK = 0o022
TESTS = Path(__file__).parent
LONGEST = (
    "local_cloud/test_kill.py",
    "local_cloud/test_flow.py",
    "local_cloud/test_full_plan.py",
    "chaos/test_chaos.py",
    "local_cloud/test_current_folder.py",
    "local_cloud/test_commands.py",
    "local_cloud/test_full_disk.py",
    "trainer/test_flow.py",
    "chaos/test_guards.py",
    "package/test_wheel.py",
    "local_cloud/test_restart.py",
    "local_cloud/test_lost.py",
    "chaos/test_every_call.py",
    "trainer/test_exports.py",
    "trainer/test_pretrained.py",
    "trainer/test_backends.py",
    "readme/test_readme.py",
)
"""The modules that take most of the time, about the longest first."""

# How long an example takes, or making it up, says something of the machine alone.
settings.register_profile("seedbed", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("first failure", settings.get_profile("seedbed"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("seedbed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes run the tests, the longest modules begin first: all processes end together."""
    if hasattr(config, "workerinput"):
        ranks = {TESTS / module: rank for rank, module in enumerate(LONGEST)}
        items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session", autouse=True)
def as_for_anybody() -> Iterator[None]:
    """What a person's shell or make says of its terminal, of Seedbed and of new files changes nothing."""
    umask = os.umask(UMASK)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SEEDBED_")]:
            patch.delenv(name)
        for name in (*TERMINAL, *MAKE):
            patch.delenv(name, raising=False)
        yield
    os.umask(umask)


@pytest.fixture(scope="session", autouse=True)
def services_described_once() -> Iterator[None]:
    """The clients of all tests share what botocore knows of the services: each would read it again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield


class ReachedOut(AssertionError):
    """A test wanted to talk to another machine."""


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> Iterator[None]:
    """Only loopback addresses can be connected to or looked up, with credentials that open nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in REAL_ACCOUNT:
            patch.delenv(name, raising=False)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, only_loopback(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", only_local_names(socket.getaddrinfo))
        yield


def only_loopback(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            raise ReachedOut(f"A test wanted to connect to {address}.")
        return connect(self, address)

    return guarded


def only_local_names(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not is_local(host):
            raise ReachedOut(f"A test wanted to look up {host!r}.")
        return look_up(host, *args, **kwargs)

    return guarded


def is_local(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {"", "localhost", "0.0.0.0", "::", socket.gethostname()}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
