"""The commands as a person gives them, each in a process of its own."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.lock import hold
from seedbed.local_cloud.home.mark import MARK, Mark, read_mark
from seedbed.local_cloud.process import free_port, wait_until_ended
from seedbed.seedlings import draw
from seedbed.stack import local_stack
from tests.local_cloud.conftest import wait_for
from tests.local_cloud.traps import lay_library_traps, lay_traps, traces

SEEDBED = Path(sys.executable).parent / "seedbed"
SPECIES = ("Maize", "Small-flowered Cranesbill", "Loose Silky-bent")


def command(home: Path, *words: str) -> "subprocess.Popen[str]":
    """Given where a person stands among traps."""
    environment = {**os.environ, "SEEDBED_HOME": str(home), "COLUMNS": "160"}
    return subprocess.Popen(
        [SEEDBED, *words],
        cwd=lay_traps(home.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )


def output_of(home: Path, *words: str) -> str:
    return output_and_notes(command(home, *words))[0]


def output_and_notes(process: "subprocess.Popen[str]") -> tuple[str, str]:
    output, notes = process.communicate(timeout=280)
    assert process.returncode == 0, output + notes
    return output, notes


@pytest.mark.parametrize("words", [["-c", "import random"], ["-m", "trainer"], ["-c", "import seedbed"]], ids=" ".join)
def test_the_traps_are_seen_by_a_python_that_looks_into_the_present_folder(tmp_path: Path, words: list[str]) -> None:
    subprocess.run([sys.executable, *words], cwd=lay_traps(tmp_path), check=False, capture_output=True)
    assert traces(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    for species in SPECIES:
        (root / species).mkdir()
        for number in range(24):
            draw(species, number, 96).save(root / species / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, output_of(home, "demo", "--images", str(folder), "--trials", "1")


def test_the_demo_shows_scores_trials_mail_and_where_to_ask(after_demo: tuple[Path, str]) -> None:
    _, output = after_demo
    for words in ("The best model", "Trial", "Subject: Seedbed: a new best model", "seedbed best", "seedbed predict"):
        assert words in output


def test_what_the_demo_left_still_answers(after_demo: tuple[Path, str]) -> None:
    home, output = after_demo
    assert not home.exists()
    assert "SEEDBED_HOME" not in output
    asked = [command(home, *words) for words in (("best", "--json"), ("runs",))]
    (answer, notes), (runs, _) = (output_and_notes(process) for process in asked)
    best: dict[str, Any] = json.loads(answer)
    assert best["dataset"]["used"] == 24 * len(SPECIES)
    assert best["run_id"] in runs
    assert notes == f"The demo's home {home}-demo answers, as long as there is nothing in {home}.\n"


def test_all_that_a_run_leaves_is_for_its_owner_alone(after_demo: tuple[Path, str]) -> None:
    folder = Path(f"{after_demo[0]}-demo")
    paths = [folder, *folder.rglob("*")]
    assert {"jobs.db", "report.html", MARK} <= {path.name for path in paths}
    assert [path for path in paths if path.stat().st_mode & 0o077] == []


def test_the_best_model_labels_images(after_demo: tuple[Path, str], folder: Path, tmp_path: Path) -> None:
    home, _ = after_demo
    output_of(home, "predict", str(folder / "Maize"), "--csv", str(tmp_path / "labels.csv"))
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {"file", "label", "confidence"} == set(rows[0])
    assert [row["label"] for row in rows].count("Maize") >= 18


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_an_interrupted_demo(tmp_path: Path, folder: Path, blow: signal.Signals) -> None:
    home = tmp_path / "home"
    demo = command(home, "demo", "--images", str(folder))

    def trials_are_running() -> list[psutil.Process]:
        family = psutil.Process(demo.pid).children(recursive=True)
        return family if any("trainer" in " ".join(process.cmdline()) for process in family) else []

    family = wait_for(trials_are_running, "a job of the demo", 90)
    demo.send_signal(blow)
    output, _ = demo.communicate(timeout=60)
    assert (demo.returncode, output.endswith("Stopped.\n")) == ((130, True) if blow is signal.SIGINT else (-9, False))
    assert "Traceback" not in output
    assert wait_until_ended(family, 30) == []


def test_without_any_state_a_command_says_how_to_begin(tmp_path: Path) -> None:
    process = command(tmp_path / "nowhere", "best")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "seedbed demo" in output


def test_of_two_clouds_started_at_once_on_one_home_one_is_up(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with hold(home, "demo"):
        pass
    both = [command(home.path, "up", "--port", str(free_port())) for _ in range(2)]
    wait_for(lambda: [process for process in both if process.poll() is not None], "one of them to give up", 90)
    refused, up = sorted(both, key=lambda process: process.poll() is None)
    assert refused.returncode == 1
    assert "already up for this folder" in refused.communicate()[0]
    assert home.running()
    wait_for(lambda: read_mark(home.path) == Mark("own"), "the mark that keeps it from the next demo", 10)
    stack = local_stack(home.running() or {})
    stack.client("s3").put_object(Bucket=stack.bucket, Key="seedlings/Maize/mine.png", Body=b"pixels")
    assert json.loads(output_of(home.path, "runs", "--json"))["runs"] == []
    up.kill()
    up.communicate()

    again = command(home.path, "up", "--port", str(free_port()))
    try:
        assert wait_for(home.running, "the next to be up", 90)
        assert (home.path / "s3/000000000000" / stack.bucket / "seedlings/Maize/mine.png").exists()
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)


def test_no_command_has_run_a_file_of_the_folder_where_it_was_given(after_demo: tuple[Path, str]) -> None:
    home, _ = after_demo
    assert traces(home.parent) == []


def test_an_empty_entry_in_pythonpath_does_not_stand_for_the_present_folder(tmp_path: Path) -> None:
    lay_library_traps(tmp_path)
    environment = {**os.environ, "SEEDBED_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep}
    done = subprocess.run(
        [SEEDBED, "best"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "seedbed demo" in done.stdout, done.stderr
    assert traces(tmp_path) == []
