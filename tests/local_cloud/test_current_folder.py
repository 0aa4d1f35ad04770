"""Commands work wherever they are run: among traps, in the root, and in a folder that nothing can be written to."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from seedbed.cli import COMMANDS
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import free_port
from seedbed.seedlings import draw
from tests.children import Process, said, started
from tests.local_cloud.conftest import progress_in
from tests.local_cloud.places import PLACES, bound_by_permissions, folder_of
from tests.local_cloud.traps import traces
from tests.waiting import wait_for

SEEDBED = Path(sys.executable).with_name("seedbed")
SPECIES = ("Maize", "Loose Silky-bent", "Fat Hen")
IN_SECONDS = {
    "runs": ["runs"],
    "best": ["best", "--json"],
    "report": ["report"],
    "rebuild": ["rebuild"],
    "dlq list": ["dlq", "list"],
    "dlq redrive": ["dlq", "redrive"],
    "status": ["status"],
    "watch": ["watch"],
    "open": ["open"],
    "cost": ["cost"],
    "ranges": ["ranges", "--usual"],
}
FOR_AWS = {
    "deploy": ["deploy", "--email", "me@example.org", "--region", "eu-west-1"],
    "undeploy": ["undeploy", "--region", "eu-west-1"],
}
NO_ROLE = {"AWS_EC2_METADATA_DISABLED": "true"}
REFUSALS = {
    "up": (["up"], "SEEDBED_HOME"),
    "demo": (["demo"], "SEEDBED_HOME"),
    "best": (["best"], "seedbed demo, or: "),
    "upload": (["upload", "{images}"], "Start one in another terminal: "),
    "sagemaker": (["sagemaker", "--image", "toy={toy}"], "--data"),
    "import": (["import", "{pickles}/x.pkl", "{pickles}/y.pkl"], "imported can't be written: Permission denied"),
}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What a person has: images, pickled arrays, and a container of their own."""
    root = tmp_path_factory.mktemp("given")
    for species in SPECIES:
        (root / "images" / species).mkdir(parents=True)
        for number in range(20):
            draw(species, number, 64).save(root / "images" / species / f"{number}.png")
    (root / "pickles").mkdir()
    (root / "pickles/x.pkl").write_bytes(pickle.dumps(np.zeros((4, 8, 8, 3), np.uint8)))
    (root / "pickles/y.pkl").write_bytes(pickle.dumps(np.eye(4)))
    (root / "toy").mkdir()
    (root / "toy/Dockerfile").write_text('FROM scratch\nENTRYPOINT ["true"]\n')
    return {path.name: path for path in root.iterdir()}


@contextmanager
def command(place: Path, home: Path | None, *words: object, without: Collection[str] = ()) -> Iterator[Process]:
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    environment = {
        **inherited,
        **NO_ROLE,
        "BROWSER": "true",
        "COLUMNS": "200",
        **({"SEEDBED_HOME": str(home)} if home else {}),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    bound = bound_by_permissions(place) if place.name == "unwritable" else []
    with started([*bound, SEEDBED, *map(str, words)], cwd=place, env=environment, **pipes) as process:
        yield process


def output_of(place: Path, home: Path, *words: object, progress: Callable[[], object] | None = None) -> str:
    with command(place, home, *words) as process:
        output, errors = said(process, progress)
    assert process.returncode == 0, output + errors
    return output


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, given: dict[str, Path]) -> Path:
    """A home with a best model: a demo was run in the root."""
    own = tmp_path_factory.mktemp("of") / "home"
    demo = own.with_name("home-demo")
    words = ("demo", "--images", given["images"], "--trials", 1)
    output_of(Path("/"), own, *words, progress=lambda: progress_in(Home(demo)))
    return demo


@pytest.fixture(scope="module")
def up(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same home, with a local cloud that was started in a folder that nothing can be written to."""
    place = folder_of("unwritable", tmp_path_factory.mktemp("up"))
    with command(place, home, "up", "--port", free_port()) as process:
        wait_for(Home(home).running, "the local cloud to be up")
        yield home
        process.send_signal(signal.SIGINT)
        said(process)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    folder = folder_of(request.param, tmp_path)
    before = set(os.listdir(folder))  # noqa: PTH208  of names alone
    yield folder
    assert traces(tmp_path) == []
    assert set(os.listdir(folder)) == before  # noqa: PTH208


@pytest.mark.parametrize("words", IN_SECONDS.values(), ids=IN_SECONDS)
def test_a_question_is_answered_in_any_folder(up: Path, place: Path, words: list[str]) -> None:
    assert output_of(place, up, *words)


def test_images_are_labelled_and_imported_in_any_folder(
    up: Path, place: Path, given: dict[str, Path], tmp_path: Path
) -> None:
    output_of(place, up, "predict", given["images"] / "Maize", "--submission", tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 21
    assert output_of(place, up, "model", "--out", tmp_path / "model.onnx") == f"{tmp_path / 'model.onnx'}\n"
    output_of(place, up, "import", *sorted(given["pickles"].iterdir()), tmp_path / "imported")
    assert len(list((tmp_path / "imported").glob("*/*.png"))) == 4


@pytest.mark.parametrize(
    "served",
    [
        (["serve"], "serving at"),
        (["sagemaker", "--image", "toy={toy}", "--data", "{data}"], "Stop with Ctrl-C"),
        (["dashboard", "--no-open"], "Stop with Ctrl-C"),
    ],
    ids=["serve", "sagemaker", "dashboard"],
)
def test_what_serves_starts_in_any_folder(
    up: Path, place: Path, given: dict[str, Path], tmp_path: Path, served: tuple[list[str], str]
) -> None:
    words, ready = served
    told = [word.format(toy=given["toy"], data=tmp_path / "data") for word in words]
    output = tmp_path / "output.txt"
    bound = bound_by_permissions(place) if place.name == "unwritable" else []
    with (
        output.open("wb") as file,
        started(
            [*bound, SEEDBED, *told, "--port", str(free_port())],
            cwd=place,
            env={**os.environ, "SEEDBED_HOME": str(up)},
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        wait_for(lambda: process.poll() is not None or ready in output.read_text(), f"{words} to serve")
        assert process.poll() is None, output.read_text()
        process.send_signal(signal.SIGINT)
        said(process)
    assert process.returncode == 130


@pytest.mark.parametrize(("words", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_a_folder_that_cant_be_written_to_is_refused_in_a_sentence(
    tmp_path: Path, given: dict[str, Path], words: list[str], sentence: str
) -> None:
    place = folder_of("unwritable", tmp_path)
    with command(place, None, *(word.format(**given) for word in words)) as process:
        output, errors = said(process)

    assert process.returncode == 1
    assert output == ""
    assert errors.startswith("Error: ")
    assert sentence in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("option", ["--csv", "--submission"])
def test_labels_that_cant_be_written_are_refused_in_a_sentence(
    up: Path, tmp_path: Path, given: dict[str, Path], option: str
) -> None:
    place = folder_of("unwritable", tmp_path)
    with command(place, up, "predict", given["images"] / "Maize", option, "out.csv") as process:
        output, errors = said(process)

    assert process.returncode == 1
    assert "out.csv" in output + errors
    assert "Traceback" not in output + errors


@pytest.mark.parametrize("words", FOR_AWS.values(), ids=FOR_AWS)
def test_a_command_for_aws_comes_as_far_as_the_credentials_in_any_folder(
    up: Path, place: Path, words: list[str]
) -> None:
    with command(place, up, *words, without=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")) as process:
        output, errors = said(process)

    assert (process.returncode, output) == (1, "")
    assert "No AWS credentials were found." in errors


def test_the_doctor_finds_tensorflow_in_any_folder(up: Path, place: Path) -> None:
    with command(place, up, "doctor") as process:
        output, errors = said(process)

    assert "ok      TensorFlow: " in output, errors


def test_what_names_a_run_works_in_any_folder(up: Path, place: Path) -> None:
    run_id = json.loads(output_of(place, up, "best", "--json"))["run_id"]
    assert "chosen: " in output_of(place, up, "logs", run_id)
    with command(place, up, "compare", run_id, run_id) as process:
        output, errors = said(process)
    assert (process.returncode, output) == (2, "")
    assert "Error: Name two different runs." in errors


def test_every_command_is_run_in_every_kind_of_folder() -> None:
    elsewhere = {
        "demo",
        "up",
        "upload",
        "stop",
        "retry",
        "model",
        "predict",
        "import",
        "serve",
        "sagemaker",
        "doctor",
        "dashboard",
        "logs",
        "compare",
        "run",
        "trials",
        "deploy-model",
        *FOR_AWS,
    }

    assert elsewhere | {name.split()[0] for name in IN_SECONDS} == {*COMMANDS, "dlq"}


def test_an_upload_and_a_stop_work_in_any_folder(up: Path, place: Path, tmp_path: Path) -> None:
    """The last one, so that the run that the uploads begin hinders no other."""
    (tmp_path / "more/Maize").mkdir(parents=True)
    draw("Maize", 1000 + len(place.name), 64).save(tmp_path / "more/Maize" / f"{place.name or 'root'}.png")
    assert "Uploaded" in output_of(place, up, "upload", tmp_path / "more")
    run_id = json.loads(output_of(place, up, "runs", "--json"))["runs"][-1]["run_id"]
    for words in (("run",), ("stop", run_id), ("retry", run_id)):
        with command(place, up, *words) as process:
            output, errors = said(process)
        assert words[-1] in output + errors
        assert "Traceback" not in output + errors
