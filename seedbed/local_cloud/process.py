"""The local cloud as a child process: started, asked whether it is ready, and ended with all that it started."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

import psutil

from ..errors import SeedbedError
from ..extras import need
from ..interrupts import signals_deferred
from .access.credentials import Credentials, credentials_of
from .environment import REGION, cloud_environment
from .home.folder import Home
from .home.lock import hold
from .notifications.smtp import InvalidServer, configured_server
from .parameters import LAPTOP

PROGRAM = [sys.executable, "-P", "-m", "seedbed.local_cloud"]
START_TIMEOUT = 120
STOP_TIMEOUT = 20
POLL_SECONDS = 0.01


@contextmanager
def local_cloud(
    home: Home,
    parameters: Mapping[str, str] | None = None,
    *,
    port: int = 0,
    run_jobs: bool = True,
    lock: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Serve a home while the block runs: its `endpoint`, `credentials` and the stack's `outputs`.

    Afterwards nothing of it is left.
    `parameters` are the template's, over the laptop's defaults; without `run_jobs` it answers questions of the caller
    alone and starts no job. `lock` is the home's, where the caller holds it already. Raises what `served` raises, and
    SeedbedError for a SEEDBED_SMTP_URL that can't be read and where the extra `laptop` is not installed.
    """
    need("laptop", "A local cloud")
    check_mail_server()
    options = ["--parameters", json.dumps({**LAPTOP, **(parameters or {})})]
    options += [] if run_jobs else ["--no-jobs"]
    with served(home, port, options, lock=lock, known=run_jobs) as cloud:
        yield cloud


def check_mail_server() -> None:
    """Raises SeedbedError for a mail server that can't be read: better now than when the first e-mail is due."""
    try:
        configured_server()
    except InvalidServer as error:
        raise SeedbedError(str(error)) from None


@contextmanager
def served(
    home: Home, port: int, options: Sequence[str], *, lock: int | None = None, known: bool = True
) -> Iterator[dict[str, Any]]:
    """Have the local cloud's process, told `options`, serve a home on a port, any free one if 0, while the block runs.

    Other commands find it if it is `known`. Raises SeedbedError if another process serves this home (AlreadyUp) or
    works in it, the port is taken, or the cloud can't start.
    """
    with nullcontext(lock) if lock is not None else hold(home) as held:
        if port and not is_port_free(port):
            raise SeedbedError(f"Port {port} is taken by another program. Choose another one with --port.")
        with written_to(home):
            credentials = credentials_of(home.path, REGION)
        process, patience = None, 0.0  # nothing is lost of what has answered nobody yet
        try:
            with written_to(home), signals_deferred():
                process = start(home, port or free_port(), options, held, credentials)
            cloud = {**wait_until_ready(process, home), "credentials": asdict(credentials)}
            for note in cloud.pop("notes", ()):
                sys.stderr.write(f"{note}\n")
            patience = STOP_TIMEOUT
            if known:
                with written_to(home):
                    home.record_running(process.pid, cloud)
            yield cloud
        finally:
            with signals_deferred():
                if process:
                    end(process, patience)
                home.record_ended()
                shutil.rmtree(home.scratch, ignore_errors=True)


@contextmanager
def written_to(home: Home) -> Iterator[None]:
    """The home is written to while the block runs. Raises SeedbedError where its disk does not take that."""
    try:
        yield
    except OSError as error:
        raise SeedbedError(
            f"{home.path} can't be written to: {error.strerror}. Make room on its disk, then run this again."
        ) from error


def start(
    home: Home, port: int, options: Sequence[str], lock: int, credentials: Credentials
) -> "subprocess.Popen[bytes]":
    """The local cloud's process, which holds the home's lock for as long as it lives. It works in the home's folder."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    home.scratch.mkdir(0o700, exist_ok=True)
    home.log.touch(0o600)
    with home.log.open("ab") as log:
        return subprocess.Popen(
            [*PROGRAM, "--port", str(port), "--data", str(home.path), "--lock", str(lock), *options],
            cwd=home.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock,),
            env=cloud_environment(port, home.path, credentials),
        )


def wait_until_ready(process: "subprocess.Popen[bytes]", home: Home) -> dict[str, Any]:
    assert process.stdout
    spoke, _, _ = select.select([process.stdout], [], [], START_TIMEOUT)
    line = process.stdout.readline() if spoke else b""
    if not line:
        raise SeedbedError(f"The local cloud could not start; {home.log} says why.")
    cloud: dict[str, Any] = json.loads(line)
    if "error" in cloud:
        raise SeedbedError(cloud["error"])
    return cloud


def end(process: "subprocess.Popen[bytes]", patience: float = STOP_TIMEOUT) -> None:
    """End the cloud and whatever it started, gently for `patience` seconds, then at once."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    wait_until_ended(family, STOP_TIMEOUT)
    if process.stdout:
        process.stdout.close()


def wait_until_ended(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after so many seconds.

    Unlike psutil's own waiting this ends when they have: init, whose children orphans are, may take seconds to notice.
    """
    running, deadline = list(processes), time.monotonic() + seconds
    while (running := [process for process in running if runs(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return running


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended, be it gone or a zombie."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int) -> bool:
    """Whether nobody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
