"""Ctrl-C and SIGTERM end any command at any moment with one line, and leave nothing behind."""

import itertools
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
import pytest

from job_manager.aws.dynamodb import DynamoDBRuns
from job_manager.domain import layout
from job_manager.domain.run import RunState
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.lock import make_home
from seedbed.local_cloud.process import free_port
from tests.children import family_of, said, started, wait_until_gone
from tests.fakes.world import a_run
from tests.local_cloud.conftest import LittleCloud
from tests.waiting import wait_for

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
READY = "Stop with Ctrl-C."


@dataclass
class Command:
    """A running command; `family` are the processes that it has started."""

    process: "subprocess.Popen[str]"
    home: Home

    @property
    def family(self) -> list[psutil.Process]:
        return family_of(self.process.pid)

    def wait_for(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for a condition; fail if the command ends before."""
        wait_for(lambda: self.process.poll() is not None or condition(), what)
        assert self.process.poll() is None, self.process.communicate()

    def read_until(self, words: str, stream: IO[str] | None = None) -> None:
        """Wait for a line of output, or of another stream."""
        lines = stream or self.process.stdout
        assert lines
        seen = list(itertools.takewhile(lambda line: words not in line, lines))
        assert self.process.poll() is None, seen

    def interrupt(self, *signals: signal.Signals) -> str:
        """Send signals and return the output; the command must end with one line, and leave no process."""
        family = self.family
        for number in signals:
            os.killpg(self.process.pid, number)
        output, notes = said(self.process)
        assert self.process.returncode == STATUS[signals[0]]
        assert notes.splitlines()[-1:] == ["Stopped."]
        assert (notes.count("Stopped."), notes.count("Traceback")) == (1, 0)
        wait_until_gone(family)
        return output + notes


@contextmanager
def command(home: Home, *words: str) -> Iterator[Command]:
    environment = {**os.environ, "SEEDBED_HOME": str(home.path), "COLUMNS": "160"}
    words = (sys.executable, "-m", "seedbed", *words)
    with started(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        yield Command(process, home)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "seedbed")


@pytest.fixture(scope="module")
def with_a_model(cloud: LittleCloud) -> LittleCloud:
    """A running local cloud whose table names a best model."""
    run_id = "sb-0123456789abcdef-1"
    key = layout.model(run_id)
    cloud.put(key, b"never read")
    stack = cloud.stack
    won = a_run(run_id, RunState.COMPLETED, won=True, model_uri=f"s3://{stack.bucket}/{key}")
    [table] = stack.client("dynamodb").list_tables()["TableNames"]
    DynamoDBRuns(stack.client("dynamodb"), table).create(won)
    return cloud


def catches_signals(process: "subprocess.Popen[str]") -> bool:
    """Whether the process handles SIGTERM, which Python does not by default."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [caught] = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")]
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="what signals a process catches is read from /proc")
@pytest.mark.parametrize("number", STATUS)
def test_a_signal_ends_a_loading_command_at_once(number: signal.Signals, home: Home) -> None:
    with command(home, "runs") as given:
        given.wait_for(lambda: catches_signals(given.process), "a process that catches signals")
        assert given.interrupt(number) == "Stopped.\n"


@pytest.mark.parametrize("words", [["up", "--port", "0"], ["best"]], ids=["up", "best"])
def test_a_signal_ends_a_command_whose_cloud_is_starting(words: list[str], home: Home) -> None:
    make_home(home)
    (home.path / "sagemaker").mkdir()
    with command(home, *words) as given:
        given.wait_for(lambda: given.family, "the cloud's process")
        assert given.interrupt(signal.SIGINT) == "Stopped.\n"


def test_up_ends_once_however_many_signals_come(home: Home) -> None:
    with command(home, "up", "--port", str(free_port())) as given:
        given.read_until(READY)
        given.interrupt(signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT)
    assert home.running() is None


def test_a_signal_ends_the_sagemaker_command(home: Home, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM python\nENTRYPOINT ["python"]\n')
    port = str(free_port())
    with command(home, "sagemaker", "--port", port, "--data", str(home.path), "--image", f"toy={tmp_path}") as given:
        given.read_until(READY)
        given.interrupt(signal.SIGTERM, signal.SIGTERM)


def test_an_interrupted_upload_skips_the_rest(cloud: LittleCloud, tmp_path: Path) -> None:
    (tmp_path / "images" / "Maize").mkdir(parents=True)
    for number in range(2000):
        (tmp_path / "images" / "Maize" / f"{number}.png").write_bytes(b"too little for an image")
    with command(cloud.home, "upload", str(tmp_path / "images")) as given:
        given.read_until("Upload …", given.process.stderr)
        given.interrupt(signal.SIGINT)
    listed = cloud.stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=cloud.stack.bucket)
    assert sum(len(page.get("Contents", [])) for page in listed) < 2000


@pytest.mark.parametrize(
    ("words", "number"),
    [(["predict", __file__], signal.SIGINT), (["serve", "--port", "0"], signal.SIGTERM)],
    ids=["predict", "serve"],
)
def test_an_interrupted_command_ends_its_trainer_process(
    words: list[str], number: signal.Signals, with_a_model: LittleCloud
) -> None:
    with command(with_a_model.home, *words) as given:
        given.wait_for(lambda: given.family, "the trainer's process")
        assert given.interrupt(number) == "Stopped.\n"


def test_an_interrupted_import_leaves_no_folder(home: Home, tmp_path: Path) -> None:
    pixels, rows = np.random.default_rng(1).integers(0, 256, (4000, 64, 64, 3), np.uint8), np.eye(2)[[0, 1] * 2000]
    for name, array in (("x", pixels), ("y", rows)):
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(array, 3))
    folder = tmp_path / "imported"
    with command(home, "import", str(tmp_path / "x.pkl"), str(tmp_path / "y.pkl"), str(folder)) as given:
        given.wait_for(lambda: list(folder.rglob("*.png")), "an image")
        given.interrupt(signal.SIGINT)
    assert not folder.exists()


def test_a_signal_ignored_from_the_start_stays_ignored(home: Home, tmp_path: Path) -> None:
    """As with nohup: the command continues when its terminal is closed."""
    script = "trap '' HUP; echo ignored; exec \"$@\""
    environment = {**os.environ, "SEEDBED_HOME": str(home.path)}
    words = ["sh", "-c", script, "sh", sys.executable, "-m", "seedbed", "runs"]
    with started(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        _, notes = said(process)
    assert process.returncode == 1
    assert "seedbed demo" in notes
