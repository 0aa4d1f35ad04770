"""The commands as users run them, each in its own process."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from seedbed.answers import KEPT
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.home.lock import hold
from seedbed.local_cloud.home.mark import MARK, Mark, read_mark
from seedbed.local_cloud.process import free_port
from seedbed.seedlings import draw
from seedbed.stack import local_stack
from tests.children import Process, family_of, run, said, started, wait_until_gone
from tests.local_cloud.conftest import progress_in
from tests.local_cloud.traps import lay_library_traps, lay_traps, traces
from tests.waiting import wait_for

SEEDBED = Path(sys.executable).parent / "seedbed"
SPECIES = ("Maize", "Small-flowered Cranesbill", "Loose Silky-bent")


@contextmanager
def command(home: Path, *words: str) -> Iterator[Process]:
    """Run a command in a folder of traps."""
    environment = {**os.environ, "SEEDBED_HOME": str(home), "COLUMNS": "160"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started([SEEDBED, *words], cwd=lay_traps(home.parent), env=environment, **pipes) as process:
        yield process


def output_of(home: Path, *words: str) -> str:
    with command(home, *words) as process:
        return output_and_notes(process, lambda: progress_in(Home(home.with_name(f"{home.name}-demo"))))[0]


def output_and_notes(process: Process, progress: Callable[[], object] | None = None) -> tuple[str, str]:
    output, notes = said(process, progress)
    assert process.returncode == 0, output + notes
    return output, notes


@pytest.mark.parametrize("words", [["-c", "import random"], ["-m", "trainer"], ["-c", "import seedbed"]], ids=" ".join)
def test_python_runs_the_traps_unless_the_current_folder_is_off_its_path(tmp_path: Path, words: list[str]) -> None:
    run([sys.executable, *words], cwd=lay_traps(tmp_path))
    assert traces(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    for species in SPECIES:
        (root / species).mkdir()
        for number in range(24):
            draw(species, number, 96).save(root / species / f"{number}.png")
    return root


@dataclass(frozen=True)
class Demo:
    """A demo that has ended: the home that it was given, its results, and what it said beside them."""

    home: Path
    output: str
    notes: str


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Demo:
    home = tmp_path_factory.mktemp("demo") / "home"
    with command(home, "demo", "--images", str(folder), "--trials", "1") as process:
        said = output_and_notes(process, lambda: progress_in(Home(home.with_name(f"{home.name}-demo"))))
    return Demo(home, *said)


def test_the_demo_shows_scores_trials_and_the_e_mail(after_demo: Demo) -> None:
    for words in ("The best model", "Trial", "Subject: Seedbed: the first model"):
        assert words in after_demo.output


def test_the_demo_names_no_address_of_its_ended_cloud(after_demo: Demo) -> None:
    assert not re.search("https?://|s3://", after_demo.output + after_demo.notes)


def test_every_path_that_the_demo_names_exists(after_demo: Demo) -> None:
    said = re.findall(r"(?:file://|(?<= ))/[^ \n:]+", after_demo.output + after_demo.notes)
    paths = [Path(path.removeprefix("file://").rstrip(".")) for path in said]
    assert len(paths) >= 4
    assert [path for path in paths if not path.exists()] == []


def test_the_next_steps_of_the_demo_work_from_any_folder(after_demo: Demo, folder: Path, tmp_path: Path) -> None:
    steps = re.findall(r"^  (\S.*?seedbed [^\n]*?)(?:  .*)?$", after_demo.notes, re.MULTILINE)
    assert len(steps) == 7
    ends = {"up": " --help", "dashboard": " --help", "model": f" --out {tmp_path / 'best.onnx'}"}
    environment = {name: value for name, value in os.environ.items() if name != "SEEDBED_HOME"}
    for step in steps:
        words = step.replace("IMAGES", str(folder / "Maize")) + ends.get(step.split()[-1], "")
        done = run(["sh", "-c", words], cwd="/", env={**environment, "BROWSER": "true"})
        assert done.returncode == 0, f"{words}: {done.stderr}"
    assert (tmp_path / "best.onnx").stat().st_size


def test_commands_use_the_demos_results_afterwards(after_demo: Demo) -> None:
    home = after_demo.home
    assert not home.exists()
    with command(home, "best", "--json") as first, command(home, "runs") as second:
        (answer, notes), (runs, _) = (output_and_notes(process) for process in (first, second))
    best: dict[str, Any] = json.loads(answer)
    assert best["dataset"]["used"] == 24 * len(SPECIES)
    assert best["run_id"] in runs
    assert notes == f"Using the demo's results in {home}-demo, since there is nothing in {home} yet.\n"


def test_answers_that_were_kept_are_those_of_the_api(after_demo: Demo) -> None:
    kept = Path(f"{after_demo.home}-demo", KEPT)
    best: dict[str, Any] = json.loads(output_of(after_demo.home, "best", "--json"))
    asked = [("best", "--json"), ("runs", "--json"), ("runs", best["run_id"], "--json")]
    assert kept.exists()
    before = [without_told(output_of(after_demo.home, *words)) for words in asked]

    kept.unlink()
    after = [without_told(output_of(after_demo.home, *words)) for words in asked]

    assert before == after
    assert {"/models/best", "/runs"} <= json.loads(kept.read_text())["answers"].keys()


def without_told(answer: str) -> Any:
    """A command's JSON but for `notified`, which a local cloud that starts again doesn't know of earlier runs."""
    return json.loads(answer, object_hook=lambda each: {name: each[name] for name in each if name != "notified"})


def test_logs_outlast_the_cloud(after_demo: Demo) -> None:
    run = json.loads(output_of(after_demo.home, "best", "--json"))["run_id"]

    lines = output_of(after_demo.home, "logs", run).splitlines()
    trial = output_of(after_demo.home, "logs", run, "1").splitlines()

    assert [line for line in lines if line.startswith("prepare: progress: ")]
    assert [line for line in trial if line.startswith("epoch 1/")]


def test_a_runs_trials_are_shown_and_written(after_demo: Demo, tmp_path: Path) -> None:
    run = json.loads(output_of(after_demo.home, "best", "--json"))["run_id"]

    table = output_of(after_demo.home, "trials", run)
    (trial,) = json.loads(output_of(after_demo.home, "trials", run, "--format", "json"))["trials"]
    runs = tmp_path / "runs"
    output_of(after_demo.home, "trials", run, "--tensorboard", str(runs))

    assert table.startswith(f"{run} Completed: 1 trial by ")
    assert trial["name"].removeprefix(f"{run}-") in table
    assert 0 < trial["objective"] <= 1
    assert [path.name for path in runs.iterdir() if path.is_dir()] == [trial["name"]]


def test_all_files_of_a_run_are_private(after_demo: Demo) -> None:
    folder = Path(f"{after_demo.home}-demo")
    paths = [folder, *folder.rglob("*")]
    assert {"jobs.db", "report.html", MARK} <= {path.name for path in paths}
    assert [path for path in paths if path.stat().st_mode & 0o077] == []


def test_the_best_model_labels_images(after_demo: Demo, folder: Path, tmp_path: Path) -> None:
    output_of(after_demo.home, "predict", str(folder / "Maize"), "--csv", str(tmp_path / "labels.csv"))
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {"file", "label", "confidence", "sure"} == set(rows[0])
    assert [row["label"] for row in rows].count("Maize") >= 18


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_demo_leaves_no_process(tmp_path: Path, folder: Path, blow: signal.Signals) -> None:
    home = tmp_path / "home"
    with command(home, "demo", "--images", str(folder)) as demo:

        def trials_are_running() -> list[psutil.Process]:
            family = family_of(demo.pid)
            return family if any("trainer" in words_of(process) for process in family) else []

        family = wait_for(trials_are_running, "a job of the demo", lambda: len(family_of(demo.pid)))
        demo.send_signal(blow)
        _, notes = said(demo)
    assert (demo.returncode, notes.endswith("Stopped.\n")) == ((130, True) if blow is signal.SIGINT else (-9, False))
    assert "Traceback" not in notes
    wait_until_gone(family)


def words_of(process: psutil.Process) -> str:
    """A process's command line; empty once it has ended."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def test_a_command_without_any_state_says_how_to_start(tmp_path: Path) -> None:
    with command(tmp_path / "nowhere", "best") as process:
        output, notes = said(process)
    assert (process.returncode, output) == (1, "")
    assert "seedbed demo" in notes


def test_of_two_clouds_started_at_once_in_one_home_one_runs(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with hold(home, "demo"):
        pass
    with ExitStack() as stack:
        both = [stack.enter_context(command(home.path, "up", "--port", str(free_port()))) for _ in range(2)]
        wait_for(lambda: [process for process in both if process.poll() is not None], "one of them to give up")
        refused, up = sorted(both, key=lambda process: process.poll() is None)
        assert refused.returncode == 1
        assert "already up for this folder" in refused.communicate()[1]
        assert home.running()
        wait_for(lambda: read_mark(home.path) == Mark("own"), "the mark that keeps it from the next demo")
        aws = local_stack(home.running() or {})
        aws.client("s3").put_object(Bucket=aws.bucket, Key="seedlings/Maize/mine.png", Body=b"pixels")
        assert json.loads(output_of(home.path, "runs", "--json"))["runs"] == []
        up.kill()
        up.communicate()

    with command(home.path, "up", "--port", str(free_port())) as again:
        assert wait_for(home.running, "the next to be up")
        assert (home.path / "s3/000000000000" / aws.bucket / "seedlings/Maize/mine.png").exists()
        again.send_signal(signal.SIGINT)
        said(again)


def test_no_command_runs_a_file_of_the_current_folder(after_demo: Demo) -> None:
    assert traces(after_demo.home.parent) == []


def test_an_empty_entry_in_pythonpath_is_not_the_current_folder(tmp_path: Path) -> None:
    lay_library_traps(tmp_path)
    environment = {**os.environ, "SEEDBED_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep}
    done = run([SEEDBED, "best"], cwd=tmp_path, env=environment)
    assert "seedbed demo" in done.stderr
    assert traces(tmp_path) == []
