"""The container's commands on a person's machine: mistakes are sentences, and nothing is left where SageMaker looks."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.children import run
from tests.trainer.painting import paint
from tests.trainer.small_model import write_small_model
from trainer import predict as predicting
from trainer.__main__ import main
from trainer.job import BASE

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

CONTAINER = Path(__file__).parents[2] / "training_container"


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without SageMaker's folders, in place of which this one would be made."""
    monkeypatch.delenv(BASE, raising=False)
    monkeypatch.setattr("trainer.job.ROOT", tmp_path / "ml")
    return tmp_path / "ml"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bake",),
        ("train", "one-too-many"),
        ("prepare", "--views", "9"),
        ("prepare", "--views", "many"),
        ("evaluate", "--champion-sha256", "abc"),
        ("evaluate", "--run", "a b"),
        ("evaluate", "--champion-run", "<b>"),
        ("predict",),
        ("serve", "--port", "99999"),
    ],
)
def test_wrong_arguments_on_a_laptop_are_a_sentence_and_leave_nothing(
    laptop: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status = main(arguments)

    output, notes = capsys.readouterr()
    assert (status, output, notes.count("\n")) == (2, "", 1)
    assert notes.startswith("Error: The arguments can't be used: ")
    assert "--help" in notes
    assert not laptop.exists()


@pytest.mark.parametrize("verb", ["prepare", "train", "evaluate"])
def test_what_may_be_left_out_is_not_missed(laptop: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert main([verb]) == 1

    assert "can't be used" not in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["input", "processing", "config"])
def test_a_job_leaves_its_failure_for_sagemaker(laptop: Path, folder: str) -> None:
    (laptop / folder).mkdir(parents=True)

    assert main(["train", "--colour"]) == 1

    assert "--colour" in (laptop / "output/failure").read_text()


@pytest.mark.parametrize("target", ["", "nowhere/labels.csv", "file/labels.csv", "/dev/full"])
def test_labels_that_cant_be_written_are_a_sentence(
    laptop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    (tmp_path / "file").touch()
    paint((90, 140, 60), 1).save(tmp_path / "1.png")
    model = write_small_model(tmp_path / "model")

    status = main(["predict", "--model", str(model), "--csv", str(tmp_path / target), str(tmp_path / "1.png")])

    notes = capsys.readouterr().err
    assert (status, notes.count("\n")) == (1, 1)
    assert notes.startswith("Error: ")
    assert "can't be used: " in notes


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Error: The disk or the network can't be used: No space"),
        (MemoryError(), "Error: There is too little memory"),
        (ValueError("five"), "Error: This is a mistake in the trainer; its log says where: five"),
    ],
)
def test_an_unexpected_error_is_a_sentence(
    laptop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(predicting, "predict", fail)

    assert main(["predict", "--model", "m", "x.png"]) == 1
    assert capsys.readouterr().err.startswith(sentence)


def named(write: Callable[[Path], object], folder: Path, *names: bytes) -> None:
    for name in names:
        write(Path(os.fsdecode(os.fsencode(folder) + b"/" + name)))


def test_labels_reach_a_pipe_whatever_the_encoding_and_the_names(tmp_path: Path) -> None:
    names = (b"K\xc3\xbcche.png", b"\xff.png")
    named(lambda path: paint((90, 140, 60), 1).save(path, "PNG"), tmp_path, *names)
    named(lambda path: path.write_bytes(b"\xff\xd8\xff"), tmp_path, b"\x1b[31m.jpg")
    model = write_small_model(tmp_path / "model")
    words = [sys.executable, "-m", "trainer", "predict", "--model", model, tmp_path]

    done = run(
        words,
        cwd=CONTAINER,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        errors="surrogateescape",
    )

    assert done.returncode == 0, done.stderr
    for name in names:
        assert os.fsdecode(name) in done.stdout
    assert "/?[31m.jpg: " in done.stderr
    assert "\x1b" not in done.stderr
