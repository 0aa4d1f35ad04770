"""The best model is fetched once, and served on this machine only."""

import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from seedbed.errors import AlreadyPrinted, SeedbedError
from seedbed.local_cloud.home.folder import Home
from seedbed.predict import fetch_best_model, serve_model
from tests.children import said, started, wait_until_gone
from tests.trainer.small_model import write_small_model
from tests.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SHA256 = hashlib.sha256(b"a model").hexdigest()
SERVE = "import sys, pathlib, seedbed.predict as p; p.serve_model(pathlib.Path(sys.argv[1]), 0)"


@dataclass
class Deployed:
    """A stack with one model, which counts how often it is fetched."""

    fetched: list[tuple[str, str]] = field(default_factory=list)
    archive: str = "a model"
    recorded: str | None = SHA256

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/models/best"
        uri = "s3://bucket/runs/sb-1/evaluation/model.tar.gz"
        return {"run_id": "sb-1", "model_uri": uri, "model_sha256": self.recorded}

    def client(self, service: str) -> "Deployed":
        assert service == "s3"
        return self

    def download_file(self, bucket: str, key: str, path: str) -> None:
        self.fetched.append((bucket, key))
        Path(path).write_text(self.archive)


def test_the_best_model_is_fetched_once(tmp_path: Path) -> None:
    stack: Any = Deployed()
    paths = {fetch_best_model(stack, Home(tmp_path)) for _ in range(2)}
    assert stack.fetched == [("bucket", "runs/sb-1/evaluation/model.tar.gz")]
    assert {path.read_text() for path in paths} == {"a model"}


def test_a_changed_model_is_refused_and_not_kept(tmp_path: Path) -> None:
    stack: Any = Deployed(archive="somebody else's")
    with pytest.raises(SeedbedError, match=r"model\.tar\.gz is not the file that was recorded .* restore it"):
        fetch_best_model(stack, Home(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_kept_model_that_was_changed_is_fetched_again(tmp_path: Path) -> None:
    stack: Any = Deployed()
    fetch_best_model(stack, Home(tmp_path)).write_text("changed")
    assert fetch_best_model(stack, Home(tmp_path)).read_text() == "a model"
    assert len(stack.fetched) == 2


def test_a_model_changed_here_and_in_the_bucket_is_not_used(tmp_path: Path) -> None:
    stack: Any = Deployed()
    kept = fetch_best_model(stack, Home(tmp_path))
    kept.write_text("changed")
    stack.archive = "changed"
    with pytest.raises(SeedbedError, match="not the file that was recorded"):
        fetch_best_model(stack, Home(tmp_path))
    assert not kept.exists()


def test_a_model_recorded_without_a_digest_is_used(tmp_path: Path) -> None:
    stack: Any = Deployed(recorded=None)
    assert fetch_best_model(stack, Home(tmp_path)).read_text() == "a model"


def test_serve_answers_until_interrupted_and_leaves_no_process(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "model")
    command = [sys.executable, "-c", SERVE, str(model)]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        where = process.stdout.readline().removeprefix("serving at ").strip()
        assert where.startswith("http://127.0.0.1:")
        family = psutil.Process(process.pid).children()
        with urlopen(f"{where}/ping", timeout=PATIENCE) as answer:
            assert answer.status == 200
        os.killpg(process.pid, signal.SIGINT)
        said(process)
        assert len(family) == 1
        wait_until_gone(family)


def test_a_model_that_cannot_be_served_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AlreadyPrinted):
        serve_model(tmp_path / "nowhere.tar.gz", 0)
    assert capfd.readouterr().err == f"Error: There is no model at {tmp_path / 'nowhere.tar.gz'}.\n"
