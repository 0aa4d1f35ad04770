"""Runs the best model on this machine with the container's own code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from .bundle import CONTAINER
from .errors import AlreadyPrinted, SeedbedError, check_writable
from .fetch import fetch
from .interrupts import signals_deferred
from .local_cloud.home.folder import Home
from .stack import Stack

GRACE = 10
KILLED = "The process that runs the model was killed, most likely for its memory: close other programs, then try again."
ENDED = "The process that runs the model was ended by signal {}: run this again."


def fetch_best_model(stack: Stack, home: Home) -> Path:
    """Fetch the best model's archive, once. Raises SeedbedError if it differs from the recorded one."""
    best = stack.get("/models/best")
    path = home.models / best["run_id"] / "model.tar.gz"
    return fetch(stack, best["model_uri"], path, best.get("model_sha256"))


def predict(model: Path, paths: list[Path], csv: Path | None, *, every_image: bool = False) -> None:
    """Write file,label,confidence,sure for the images at `paths` to `csv`, or to standard output if it is None.

    With `every_image` images that can't be read have a row too, without a label. Raises SeedbedError if none can be
    read.
    """
    check_can_label(paths, csv)
    target = "-" if csv is None else str(csv.absolute())
    options = ["--model", str(model), "--csv", target, *(["--every-image"] if every_image else [])]
    check_ended(trainer("predict", *options, *[str(path.absolute()) for path in paths]))


def check_can_label(paths: list[Path], target: Path | None) -> None:
    """Raises SeedbedError if a path does not exist, or the file that the labels are for can't be written."""
    for path in paths:
        if not path.exists():
            raise SeedbedError(f"{path} does not exist: check how it is spelt.")
    if target:
        check_writable(target)


def serve_model(model: Path, port: int) -> None:
    """Serve the model on 127.0.0.1 until interrupted. Raises SeedbedError if it can't be served."""
    check_ended(trainer("serve", "--model", str(model), "--host", "127.0.0.1", "--port", str(port)))


def check_ended(status: int) -> None:
    """Raises SeedbedError unless a command of the container succeeded; if it failed, it printed why by itself."""
    if status < 0:
        raise SeedbedError(KILLED if status == -signal.SIGKILL else ENDED.format(-status))
    if status:
        raise AlreadyPrinted


def trainer(*arguments: str) -> int:
    """Run a command of the container in a child process, and return its exit status.

    No file in the current folder runs as code.
    """
    command = [sys.executable, "-P", "-m", "trainer", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(CONTAINER), "PYTHONSAFEPATH": "1"}
    process = None
    try:
        with signals_deferred():
            process = subprocess.Popen(command, env=environment, start_new_session=True)  # its parent handles Ctrl-C
        return process.wait()
    finally:
        with signals_deferred():
            if process:
                end_child(process)


def end_child(process: "subprocess.Popen[bytes]") -> None:
    """End a child process by SIGTERM, or by SIGKILL if it is still running ten seconds later."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
