"""What the doctor finds on this machine."""

import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from seedbed.doctor import machine, packages
from seedbed.doctor.finding import Finding, State
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import free_port
from tests.disks import filled, small_disk


def one(found: Iterable[Finding]) -> Finding:
    (finding,) = found
    return finding


def test_python_is_one_that_seedbed_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(machine.python()).state is State.ok

    monkeypatch.setattr(sys, "version_info", (3, 10, 4))

    assert (one(machine.python()).state, "needs Python 3.11" in one(machine.python()).sentence) == (State.failed, True)


def test_a_home_that_is_not_there_yet_can_be_made(tmp_path: Path) -> None:
    assert one(machine.home_folder(Home(tmp_path / "new" / "home"))).state is State.ok


def test_a_home_in_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()

    found = one(machine.home_folder(Home(tmp_path)))

    assert (found.state, "holds files that are not Seedbed's" in found.sentence) == (State.failed, True)


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert one(machine.home_folder(Home(tmp_path / "file" / "home"))).state is State.failed


def test_a_full_disk_fails_and_another_does_not(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk, filled(disk):
        found = {finding.sentence.split()[-1]: finding.state for finding in machine.disk(Home(disk / "home"))}

    assert found[f"{disk}."] is State.failed
    assert len(found) == 2


@pytest.mark.parametrize(("available", "state"), [(1, State.warning), (8, State.ok)])
def test_too_little_memory_is_a_warning(monkeypatch: pytest.MonkeyPatch, available: int, state: State) -> None:
    memory = SimpleNamespace(available=available * machine.GB, total=16 * machine.GB)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)

    assert one(machine.memory()).state is state


def test_a_port_that_is_taken_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(machine, "PORT", other.getsockname()[1])
        assert one(machine.port(Home(tmp_path))).state is State.warning

    assert one(machine.port(Home(tmp_path))).state is State.ok


def test_packages_that_lack_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(packages.installed()).state is State.ok

    monkeypatch.setattr(packages, "is_missing", lambda package: package in {"keras", "tensorflow"})

    found = one(packages.installed())
    assert (found.state, found.next_step) == (State.warning, "pip install 'seedbed[laptop]'")
    assert "without keras, tensorflow." in found.sentence
    assert list(packages.tensorflow()) == []


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("print('2.21.0 3.12.0 tensorflow')", State.ok, "2.21.0 loads, with Keras 3.12.0 on tensorflow."),
        ("raise ImportError('libx.so is missing')", State.failed, "It can't be loaded: libx.so is missing"),
        ("import os; os.kill(os.getpid(), 4)", State.failed, "lacks instructions (AVX)"),
        ("import signal; signal.pause()", State.failed, "It did not load within 1 seconds."),
    ],
)
def test_tensorflow_is_loaded_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, script: str, state: State, said: str
) -> None:
    monkeypatch.setattr(packages, "LOAD", script)
    if "pause" in script:
        monkeypatch.setattr(packages, "IMPORT_SECONDS", 1)

    found = one(packages.tensorflow())

    assert (found.state, said in found.sentence) == (state, True), found


class Index(SimpleHTTPRequestHandler):
    """A package index in a folder."""

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def index(folder: Path) -> Iterator[str]:
    page = folder / "simple" / packages.ASKED_FOR / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<!DOCTYPE html><a href="{packages.ASKED_FOR}-99.0-py3-none-any.whl">99.0</a>')
    with HTTPServer(("127.0.0.1", 0), partial(Index, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()
            thread.join()


def test_pips_index_is_asked_as_pip_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with index(tmp_path) as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        assert one(packages.package_index()).state is State.ok

    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    found = one(packages.package_index())
    assert (found.state, "pip finds no packages (" in found.sentence) == (State.warning, True), found


@pytest.mark.parametrize(
    ("script", "said"), [('echo \'{"ServerVersion": "28"}\'', "An engine answers"), ("exit 1", "No engine")]
)
def test_a_docker_engine_is_found_but_never_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    found = one(packages.docker(Home(tmp_path)))

    assert (found.state, found.sentence.startswith(said)) == (State.ok, True)
