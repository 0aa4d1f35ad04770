"""`seedbed dashboard` as a person runs it: what it prints, what a browser gets, how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from seedbed.commands import dashboard
from tests.children import Process, exited, run, started
from tests.waiting import PATIENCE

SEEDBED = Path(sys.executable).parent / "seedbed"


@contextmanager
def served(home: Path) -> Iterator[tuple[Process, str]]:
    """The command on a free port, for a home whose cloud has ended, and the address that it printed."""
    (home / "sagemaker").mkdir(parents=True)
    environment = {**os.environ, "SEEDBED_HOME": str(home)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started([SEEDBED, "dashboard", "--port", "0", "--no-open"], env=environment, **pipes) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()


def test_its_address_leads_to_a_page_that_says_what_to_do(tmp_path: Path) -> None:
    with served(tmp_path / "home") as (_, address):
        pool = urllib3.PoolManager(retries=False, timeout=PATIENCE)
        opened = pool.request("GET", address, redirect=False)
        cookie = opened.headers["set-cookie"].split(";")[0]
        page = pool.request("GET", address.split("?")[0], headers={"Cookie": cookie})
    assert opened.status == 303
    assert page.status == 503
    assert f"The local cloud of {tmp_path / 'home'} is not running. Start it with:" in page.data.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_one_line(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path / "home") as (process, _):
        assert process.stderr
        notes = [process.stderr.readline() for _ in range(2)]
        process.send_signal(number)
        assert exited(process) == 128 + number
        assert notes[-1] == "Stop with Ctrl-C.\n"
        assert process.stderr.read() == "Stopped.\n"


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home" / "sagemaker").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run([SEEDBED, "dashboard", "--port", port], env={**os.environ, "SEEDBED_HOME": str(tmp_path / "home")})
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: Port {port} of 127.0.0.1 is in use. Choose another with --port, or any free one with --port 0.\n"
    )


def test_a_home_that_was_never_used_is_a_sentence(tmp_path: Path) -> None:
    ended = run([SEEDBED, "dashboard"], env={**os.environ, "SEEDBED_HOME": str(tmp_path / "home")})
    assert ended.returncode == 1
    assert f"There is nothing in {tmp_path / 'home'} yet." in ended.stderr


def test_without_a_screen_no_browser_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not dashboard.has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert dashboard.has_screen()


def test_a_build_server_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)
    assert dashboard.is_interactive()
    monkeypatch.setenv("CI", "true")
    assert not dashboard.is_interactive()
