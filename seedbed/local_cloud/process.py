"""Runs the local cloud as a child process, and ends it with all that it started."""

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
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from typing import Any

import psutil

from ..errors import SeedbedError, unusable
from ..extras import need
from ..interrupts import signals_deferred
from ..terminal.console import say
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
    """Serve a home while the block runs. Yields `endpoint`, `credentials`, and the stack's `outputs`.

    No process is left afterwards. `parameters` override the laptop's defaults for the template. Without `run_jobs` no
    job is started, and other commands don't find the cloud. `lock` is the home's, if the caller holds it already.
    Raises what `served` raises, and SeedbedError if SEEDBED_SMTP_URL is malformed or the extra `laptop` is missing.
    """
    need("laptop", "A local cloud")
    check_mail_server()
    options = ["--parameters", json.dumps({**LAPTOP, **(parameters or {})})]
    options += [] if run_jobs else ["--no-jobs"]
    with served(home, port, options, lock=lock, discoverable=run_jobs) as cloud:
        yield cloud


def check_mail_server() -> None:
    """Raises SeedbedError if SEEDBED_SMTP_URL can't be read, rather than when the first e-mail is due."""
    try:
        configured_server()
    except InvalidServer as error:
        raise SeedbedError(str(error)) from None


@contextmanager
def served(
    home: Home, port: int, options: Sequence[str], *, lock: int | None = None, discoverable: bool = True
) -> Iterator[dict[str, Any]]:
    """Run the local cloud's process with `options` while the block runs, on a port, or on any free one if it is 0.

    Other commands find it only if it is `discoverable`. Raises SeedbedError if another process serves this home
    (AlreadyUp) or uses it, the port is taken, or the cloud can't start.
    """
    with nullcontext(lock) if lock is not None else hold(home) as held:
        check_port(port)
        with writing_to(home):
            credentials = credentials_of(home.path, REGION)
        process, grace = None, 0.0  # no grace before it has answered anyone
        try:
            with writing_to(home), signals_deferred():
                process = start(home, port or free_port(), options, held, credentials)
            cloud = {**wait_until_ready(process, home), "credentials": asdict(credentials)}
            say(*cloud.pop("notes", ()))
            grace = STOP_TIMEOUT
            if discoverable:
                with writing_to(home):
                    home.record_running(process.pid, cloud)
            yield cloud
        finally:
            with signals_deferred():
                if process:
                    end(process, grace)
                home.record_ended()
                shutil.rmtree(home.scratch, ignore_errors=True)


@contextmanager
def writing_to(home: Home) -> Iterator[None]:
    """Raises SeedbedError if the block can't write to the home."""
    try:
        yield
    except OSError as error:
        raise unusable(home.path, "can't be written to", error, "Check its permissions.") from error


def start(
    home: Home, port: int, options: Sequence[str], lock: int, credentials: Credentials
) -> "subprocess.Popen[bytes]":
    """Start the local cloud's process in the home's folder. It holds the home's lock until it ends."""
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
    readable, _, _ = select.select([process.stdout], [], [], START_TIMEOUT)
    line = process.stdout.readline() if readable else b""
    if not line:
        raise SeedbedError(f"The local cloud could not start; {home.log} says why.")
    cloud: dict[str, Any] = json.loads(line)
    if "error" in cloud:
        raise SeedbedError(cloud["error"])
    return cloud


def end(process: "subprocess.Popen[bytes]", grace: float = STOP_TIMEOUT) -> None:
    """End the cloud and all that it started; it is killed if it is still running after `grace` seconds."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):  # it has ended meanwhile
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
    """Wait for processes to end. Returns those still running after so many seconds.

    Unlike `psutil.wait_procs` it counts zombies as ended: init may take seconds to reap an orphan.
    """
    running, deadline = list(processes), time.monotonic() + seconds
    while (running := [process for process in running if is_running(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return running


def is_running(process: psutil.Process) -> bool:
    """Whether the process is still running; a zombie is not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(port: int) -> None:
    """Raises SeedbedError if this user can't listen on a port, as where another program does. 0 stands for any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise SeedbedError(
                f"Port {port} is only for the system's own programs. Choose one from 1024 on with --port."
            ) from error
        except OSError as error:
            raise SeedbedError(f"Port {port} is in use by another program. Choose another port with --port.") from error
