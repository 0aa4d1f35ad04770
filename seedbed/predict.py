"""Runs the best model on this machine with the container's own code."""

import os
import subprocess
import sys
from pathlib import Path

from .bundle import CONTAINER
from .errors import SeedbedError, check_writable
from .fetch import fetch
from .interrupts import signals_deferred
from .local_cloud.home.folder import Home
from .stack import Stack

GRACE = 10


def fetch_best_model(stack: Stack, home: Home) -> Path:
    """Fetch the best model's archive, once. Raises SeedbedError if it differs from the recorded one."""
    best = stack.get("/models/best")
    path = home.models / best["run_id"] / "model.tar.gz"
    return fetch(stack, best["model_uri"], path, best.get("model_sha256"))


def predict(model: Path, paths: list[Path], csv: Path | None, *, every_image: bool = False) -> None:
    """Write file,label,confidence for the images at `paths` to `csv`, or to standard output if it is None.

    With `every_image` images that can't be read have a row too, without a label. Raises SeedbedError if none can be
    read.
    """
    for path in paths:
        if not path.exists():
            raise SeedbedError(f"{path} does not exist.")
    if csv:
        check_writable(csv)
    target = "-" if csv is None else str(csv.absolute())
    options = ["--model", str(model), "--csv", target, *(["--every-image"] if every_image else [])]
    if trainer("predict", *options, *[str(path.absolute()) for path in paths]):
        raise SeedbedError("No image could be labelled; the lines above say why.")


def serve_model(model: Path, port: int) -> None:
    """Serve the model on 127.0.0.1 until interrupted. Raises SeedbedError if it can't be served."""
    if trainer("serve", "--model", str(model), "--host", "127.0.0.1", "--port", str(port)):
        raise SeedbedError("The model can't be served; the lines above say why.")


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
