"""Text from elsewhere is printed as it is in every command: it is neither markup nor a terminal's control sequence."""

import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedbed.commands.progress import StageBars
from seedbed.dlq import DeadLetter
from seedbed.errors import SeedbedError
from seedbed.terminal import hints
from seedbed.terminal.text import listed, printable
from seedbed.watch.stage import StageProgress
from tests.seedbed.commands import Person

HOSTILE = "[red]a[/] [/b] [link=http://x]y[/link] \\[z] :smile: \x1b[2J\x1b]0;t\x07 \x9b31m \u202ex\u2066 \ud800 \r"
SHOWN = "[red]a[/] [/b] [link=http://x]y[/link] \\[z] :smile: ?[2J?]0;t? ?31m ?x? ? ?"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

SCORE = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "images": 3}
TRIAL = {
    "name": f"sb-1-{HOSTILE}",
    "objective": 0.5,
    "hyperparameters": {HOSTILE: HOSTILE},
    "status": HOSTILE,
    "stage": "tune",
    "billable_seconds": 1,
}
RUN: dict[str, Any] = {
    "run_id": HOSTILE,
    "state": HOSTILE,
    "created_at": "2026-03-20T09:00:00",
    "images": 1,
    "test_accuracy": 0.5,
    "test_accuracy_interval": [0.4, 0.6],
    "validation_accuracy": 0.5,
    "macro_f1": 0.5,
    "cost_usd": 0.0,
    "won": True,
    "reason": HOSTILE,
    "notice": HOSTILE,
    "hyperparameters": {HOSTILE: HOSTILE},
    "trials": [TRIAL],
    "evaluation": {
        "per_label": {HOSTILE: SCORE, "b": SCORE},
        "labels": [HOSTILE, "b"],
        "confusion": [[0, 1], [1, 0]],
        "champion": {"error": HOSTILE, "accuracy": 0.5},
    },
    "dataset": {
        "used": 1,
        "images": 1,
        "labels": [HOSTILE],
        "refused": [{"file": HOSTILE, "reason": HOSTILE}] * 100,
        "more_refused": 1_000,
    },
    "ended_at": None,
    "content": "",
    "plan": {},
    "champion_before": HOSTILE,
    "single_view": None,
    "changes": {"accuracy": 0.5, "weakest": HOSTILE, "by_change": {HOSTILE: {"accuracy": 0.5}}},
    "model_uri": f"s3://bucket/{HOSTILE}",
    "report_uri": "",
}
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
LETTER = {"message_id": "1", "body": HOSTILE, "came_from": None, "queue": "q", "handle": "h"}


class Stack:
    """A stack that is all hostile."""

    def get(self, path: str) -> dict[str, Any]:
        return {"runs": [RUN], "pending": HOSTILE} if path == "/runs" else RUN

    def post(self, path: str) -> dict[str, Any]:
        return {"message": HOSTILE}


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Person:
    """Somebody whose stack, dead letters and e-mails are hostile."""

    @contextmanager
    def stack(*_: object) -> Iterator[Any]:
        yield Stack()

    @contextmanager
    def stack_and_home(*_: object) -> Iterator[Any]:
        raise SeedbedError(f"{HOSTILE}\nthe end")
        yield

    monkeypatch.setenv("SEEDBED_HOME", str(tmp_path / "home"))
    for module in ("runs", "model", "dlq"):
        monkeypatch.setattr(f"seedbed.commands.{module}.stack_for", stack)
    for module in ("runs", "model", "status"):
        monkeypatch.setattr(f"seedbed.commands.{module}.api_for", stack)
    monkeypatch.setattr("seedbed.commands.model.stack_and_home", stack_and_home)
    monkeypatch.setattr("seedbed.commands.runs.rebuild_table", lambda _: [HOSTILE])
    letter = DeadLetter(about=HOSTILE, sent_at=NOW, **LETTER)  # type: ignore[arg-type]
    monkeypatch.setattr("seedbed.commands.dlq.dead_letters", lambda _: [letter])
    return Person(monkeypatch, capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["best"],
        ["runs"],
        ["runs", "x"],
        ["status"],
        ["compare", "x", "y"],
        ["stop", "x"],
        ["rebuild"],
        ["dlq", "list"],
        ["report"],
    ],
    ids=" ".join,
)
def test_a_command_prints_text_as_it_is(person: Person, words: list[str]) -> None:
    outcome = person.runs(*words)

    said = outcome.output + outcome.notes
    assert CONTROL.findall(said) == []
    for word in ("[red]a[/]", "[link=http://x]y[/link]", ":smile:"):
        assert word in said


@pytest.mark.parametrize(
    "words", [["best"], ["runs"], ["status"], ["compare", "x", "y"], ["stop", "x"], ["dlq", "list"]], ids=" ".join
)
def test_json_is_ascii(person: Person, words: list[str]) -> None:
    outcome = person.runs(*words, "--json")

    assert (outcome.status, outcome.notes) == (0, "")
    assert CONTROL.findall(outcome.output) == []
    assert outcome.output.isascii()


def test_a_long_list_of_refused_files_says_how_many_more_there_are(person: Person) -> None:
    output = person.runs("runs", "x").output

    assert "Refused (1,100):" in output
    assert output.count(f"  {SHOWN}: {SHOWN[:9]}") <= 10
    assert "and 1,090 more" in output


def test_hostile_paths_are_printed_as_text(person: Person, tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "|").replace("\ud800", "\udcff")
    for words in (["upload", name], ["import", name, name], ["predict", name], ["best", "--aws", name], [name]):
        outcome = person.runs(*words)

        assert outcome.status in {1, 2}
        assert CONTROL.findall(outcome.notes) == []


@pytest.mark.parametrize("terminal", [True, False])
def test_the_notes_of_progress_are_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    with StageBars() as stages:
        stages.show(StageProgress("tune", 1, 2, "[red]best[/] \x1b[2J"))

    output, notes = capsys.readouterr()
    assert output == ""
    assert "\x1b[2J" not in notes
    assert "[red]best[/] ?[2J" in notes if terminal else notes == "Tune …\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Küche 玉米 🌱", "Küche 玉米 🌱"),
        ("क\u200dष 👩\u200d🌾", "क\u200dष 👩\u200d🌾"),
        ("a\u00a0b\u3000c", "a b c"),
        ("a\nb\tc\x00\x7f\x85\u2028", "a?b?c????"),
        ("\ud800\udcff", "??"),
        (Path("a/b"), "a/b"),
    ],
)
def test_text_is_printable(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_a_list_names_the_first_and_counts_the_rest() -> None:
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a\x1b", *"bcdefg"], 2) == "a?, b and 5 more"


def test_a_hint_can_be_pasted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hints, "program", lambda: "seedbed")
    monkeypatch.delenv(hints.HOME, raising=False)
    monkeypatch.chdir(tmp_path)
    assert hints.seedbed("runs") == "seedbed runs"
    assert hints.seedbed("upload", hints.quoted(Path("my photos"))) == f"seedbed upload '{tmp_path}/my photos'"
    assert hints.seedbed("runs", aws="mine") == "seedbed runs --aws mine"

    monkeypatch.setenv(hints.HOME, "a home")
    assert hints.seedbed("best") == f"SEEDBED_HOME='{tmp_path}/a home' seedbed best"
    assert hints.seedbed("best", aws="mine") == "seedbed best --aws mine"
    assert hints.seedbed("best", home=Path("/demo")) == "SEEDBED_HOME=/demo seedbed best"


def test_an_import_says_how_to_upload_from_any_folder(person: Person, tmp_path: Path) -> None:

    for name, array in (("x", np.zeros((2, 8, 8, 3), np.uint8)), ("y", np.eye(2))):
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(array, 3))
    person.monkeypatch.chdir(tmp_path)

    outcome = person.runs("import", "x.pkl", "y.pkl", "my [red]photos")

    assert f" are in {tmp_path}/my [red]photos." in outcome.output
    assert f"upload '{tmp_path}/my [red]photos'" in outcome.notes
    assert f"SEEDBED_HOME={tmp_path}/home" in outcome.notes
