"""`seedbed model` takes a model out of the bucket: whole, as it was recorded, over nothing that is there already."""

import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seedbed.stack import Stack
from tests.disks import filled, small_disk
from tests.seedbed.commands import Outcome, Person

BUCKET, RUN, OLD, OPEN = "seedlings", "sb-0123456789abcdef-1", "sb-0123456789abcdef-2", "sb-0123456789abcdef-3"
SAVED = "exports/saved_model"
FACTS = b'{"labels": ["Maize"]}'


def archive_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


FILES = {
    "model.tar.gz": archive_of({"model.keras": b"a Keras model", "model.json": FACTS}),
    "model.json": FACTS,
    "model_card.md": b"# Model card",
    "exports/model.onnx": b"an ONNX model",
    f"{SAVED}/saved_model.pb": b"a graph",
    f"{SAVED}/variables/variables.index": b"weights",
}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digests(*names: str) -> dict[str, str]:
    return {name: digest(FILES[name]) for name in names}


def export(name: str, **changes: Any) -> dict[str, Any]:
    return {"format": name, "file": None, "error": None, "files": {}, **changes}


class Deployed(Stack):
    """A stack with a best model, an old run without digests of its files, and a run in progress."""

    def get(self, path: str) -> dict[str, Any]:
        run_id = path.removeprefix("/runs/")
        if path == "/models/best":
            return {"run_id": RUN}
        if run_id == OPEN:
            return {"run_id": OPEN, "state": "Tuning", "model_uri": None, "evaluation": None}
        return {
            "run_id": run_id,
            "state": "Completed",
            "model_uri": f"s3://{BUCKET}/runs/{run_id}/evaluation/model.tar.gz",
            "model_sha256": digest(FILES["model.tar.gz"]) if run_id == RUN else None,
            "evaluation": EVALUATION if run_id == RUN else OLD_EVALUATION,
        }


EVALUATION = {
    "files": digests("model.json", "model_card.md"),
    "exports": [
        export("onnx", files=digests("exports/model.onnx")),
        export("saved_model", files=digests(f"{SAVED}/saved_model.pb", f"{SAVED}/variables/variables.index")),
        export("litert", error="It could not be made: no such operation."),
    ],
}
OLD_EVALUATION = {"exports": [{"format": "onnx", "file": "exports/model.onnx", "error": None}]}


def put(name: str, content: bytes, run_id: str = RUN) -> None:
    boto3.client("s3", "us-east-1").put_object(Bucket=BUCKET, Key=f"runs/{run_id}/evaluation/{name}", Body=content)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Person]:
    """Somebody in an empty folder, with a stack that has models."""
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=BUCKET)
        for run_id in (RUN, OLD):
            for name, content in FILES.items():
                put(name, content, run_id)

        @contextmanager
        def stack(_: str) -> Iterator[Stack]:
            yield Deployed(session, None, {})

        monkeypatch.setattr("seedbed.commands.model.stack_for", stack)
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        yield Person(monkeypatch, capsys)


def here() -> dict[str, bytes]:
    """The files below the current folder."""
    return {path.as_posix(): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def refused(outcome: Outcome, *words: str, status: int = 1) -> None:
    outcome.assert_is_sentence(status)
    for word in words:
        assert word in outcome.notes


BESIDE = {"model.json": FACTS, "model_card.md": FILES["model_card.md"]}


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ([], {"model.onnx": b"an ONNX model"}),
        ([RUN, "--format", "keras"], {"model.keras": b"a Keras model"}),
        (["--out", "plants.onnx"], {"plants.onnx": b"an ONNX model"}),
        (
            ["--format", "saved_model"],
            {"saved_model/saved_model.pb": b"a graph", "saved_model/variables/variables.index": b"weights"},
        ),
    ],
    ids=" ".join,
)
def test_a_model_comes_with_its_facts_and_its_card(person: Person, words: list[str], taken: dict[str, bytes]) -> None:
    outcome = person.runs("model", *words)

    assert here() == BESIDE | taken
    assert outcome.output == f"{next(iter(taken)).split('/')[0]}\n"
    assert (outcome.status, outcome.notes.count(RUN)) == (0, 1)


def test_two_formats_of_one_model_lie_side_by_side(person: Person) -> None:
    for name in ("onnx", "keras"):
        assert person.runs("model", "--format", name).status == 0
    assert here().keys() == {"model.onnx", "model.keras", *BESIDE}


def test_nothing_that_is_there_is_replaced_without_force(person: Person) -> None:
    Path("model.onnx").write_text("mine")
    refused(person.runs("model"), "model.onnx exists already", "--out", "--force")
    assert here() == {"model.onnx": b"mine"}

    assert person.runs("model", "--force").status == 0
    assert here() == BESIDE | {"model.onnx": b"an ONNX model"}


def test_the_facts_of_another_model_are_not_replaced_without_force(person: Person) -> None:
    Path("model.json").write_text("another's")
    refused(person.runs("model"), "model.json is another model's", "--force")
    assert here() == {"model.json": b"another's"}

    assert person.runs("model", "--force").status == 0
    assert here()["model.json"] == FACTS


def test_force_replaces_a_saved_model_and_no_other_folder(person: Person) -> None:
    words = ["model", "--format", "saved_model", "--force"]
    assert [person.runs(*words).status for _ in range(2)] == [0, 0]
    Path("photos").mkdir()
    Path("photos", "1.jpg").touch()

    refused(person.runs(*words, "--out", "photos"), "photos is a folder, but not a SavedModel")
    assert Path("photos", "1.jpg").exists()


@pytest.mark.parametrize(
    ("words", "changed"),
    [([], "exports/model.onnx"), ([], "model.json"), (["--format", "keras"], "model.tar.gz")],
)
def test_a_file_that_was_changed_is_refused_and_nothing_is_left(person: Person, words: list[str], changed: str) -> None:
    put(changed, b"somebody else's")

    refused(person.runs("model", *words), f"{changed} is not the file that was recorded")
    assert here() == {}


def test_a_run_without_a_model_says_its_state(person: Person) -> None:
    refused(person.runs("model", OPEN), f"Run {OPEN} has no model: its state is Tuning.")


@pytest.mark.parametrize(
    ("format_", "why"),
    [
        ("litert_int8", "was not exported as litert_int8."),
        ("litert", "could not be exported as litert: It could not be made: no such operation."),
    ],
)
def test_a_format_that_there_is_not_says_which_there_are_and_how_to_have_it(
    person: Person, format_: str, why: str
) -> None:
    can = "It can be taken as: keras, onnx, saved_model."
    refused(
        person.runs("model", "--format", format_), why, can, f"--set Exports=saved_model,litert,{'litert_int8'},onnx"
    )
    assert here() == {}


def test_an_old_run_has_its_keras_model_and_nothing_unchecked(person: Person) -> None:
    refused(person.runs("model", OLD), "whose files it did not record", "It can be taken as: keras.")

    assert person.runs("model", OLD, "--format", "keras").status == 0
    assert here() == {"model.keras": b"a Keras model", "model.json": FACTS}


@pytest.mark.parametrize("key", ["../../../../.bashrc", "/etc/passwd", "exports/../../x", "x"])
def test_a_record_that_names_a_path_elsewhere_is_not_followed(
    person: Person, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {**EVALUATION, "exports": [export("saved_model", files={key: digest(b"")})]}
    monkeypatch.setitem(globals(), "EVALUATION", hostile)

    refused(person.runs("model", "--format", "saved_model"), "did not record")
    assert here() == {}


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["--out", ".."], "is a folder", 1),
        (["--out", "nowhere/model.onnx"], "its folder does not exist", 1),
        (["--out", "model.json"], "can't be the model's name", 2),
        (["--format", "saved_model", "--out", "-"], "can't go to standard output", 2),
        (["--format", "pickle"], "--format", 2),
    ],
)
def test_a_place_or_format_that_cant_be_used_is_a_sentence(
    person: Person, words: list[str], said: str, status: int
) -> None:
    refused(person.runs("model", *words), said, status=status)
    assert here() == {}


def test_standard_output_gets_the_model_alone(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)

    outcome = person.runs("model", "--out", "-")

    output.flush()
    assert output.buffer.getvalue() == b"an ONNX model"
    assert (outcome.status, outcome.notes, here()) == (0, "", {})


def test_a_terminal_gets_no_model(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    refused(person.runs("model", "--out", "-"), "redirect standard output", status=2)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(4 * 2**20)
    put("exports/model.onnx", content)
    recorded = json.loads(json.dumps(EVALUATION).replace(digest(FILES["exports/model.onnx"]), digest(content)))
    monkeypatch.setitem(globals(), "EVALUATION", recorded)
    with small_disk(tmp_path / "disk", 2) as disk, filled(disk):
        refused(person.runs("model", "--out", disk / "model.onnx"), "The disk is full. Make room at")
        assert [path.name for path in disk.iterdir() if "model" in path.name] == []
