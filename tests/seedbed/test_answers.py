"""While no local cloud is running, the API's answers are those that it gave last, unless something has changed."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from seedbed.answers import ASKED, KEPT, answers_kept, api_at_rest, last_answers
from seedbed.errors import SeedbedError
from seedbed.local_cloud.home.folder import Home

RUNS = {"runs": [{"run_id": "sb-1", "state": "Completed"}], "pending": None}
ANSWERS: dict[str, dict[str, Any]] = {"/runs": RUNS, "/runs/sb-1": {"run_id": "sb-1"}, "/models/best": {"best": 1}}


class Cloud:
    """A local cloud that can be started for a moment; `starts` counts how often it was."""

    endpoint = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.starts = 0

    def get(self, path: str) -> dict[str, Any]:
        if path not in self.answers:
            raise SeedbedError("There is nothing here.")
        return self.answers[path]

    @contextmanager
    def started(self, _: Home) -> Iterator["Cloud"]:
        self.starts += 1
        yield self


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a run that has ended."""
    folder = tmp_path / "100%41? #1"
    (folder / "sagemaker").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "sagemaker" / "jobs.db")) as jobs:
        jobs.execute("CREATE TABLE jobs (key TEXT, modified REAL)")
    record(Home(folder)).parent.mkdir(parents=True)
    record(Home(folder)).write_text("{}")
    (folder / "made-by-seedbed.json").write_text('{"kind": "own", "drawn": []}')
    return Home(folder)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    found = Cloud()
    monkeypatch.setattr("seedbed.answers.any_local_stack", found.started)
    return found


def record(home: Home) -> Path:
    """A record that the run left in the bucket."""
    return home.path / "s3" / "000000000000" / "bucket" / "runs" / "sb-1" / "record.json"


def asked(home: Home, path: str) -> dict[str, Any]:
    """What is answered at rest."""
    with api_at_rest(home) as api:
        return api.get(path)


def test_a_second_question_starts_no_cloud(home: Home, cloud: Cloud) -> None:
    assert [asked(home, "/runs") for _ in range(3)] == [RUNS] * 3
    assert cloud.starts == 1


def test_a_further_question_keeps_the_answers_before(home: Home, cloud: Cloud) -> None:
    for path in ("/runs", "/models/best", "/runs", "/models/best"):
        asked(home, path)

    assert cloud.starts == 2


def test_answers_are_given_up_when_a_record_changes(home: Home, cloud: Cloud) -> None:
    asked(home, "/runs")
    record(home).write_text('{"other": 1}')
    cloud.answers["/runs"] = {**RUNS, "pending": {}}

    assert asked(home, "/runs") == {**RUNS, "pending": {}}


def test_an_empty_log_beside_the_database_changes_nothing(home: Home, cloud: Cloud) -> None:
    log = home.path / "sagemaker" / "jobs.db-wal"
    log.touch()
    asked(home, "/runs")
    log.unlink(missing_ok=True)

    assert (asked(home, "/runs"), cloud.starts) == (RUNS, 1)
    log.write_bytes(b"a job has changed")
    asked(home, "/runs")
    assert cloud.starts == 2


def test_answers_are_not_kept_if_something_changed_after_them(home: Home, cloud: Cloud) -> None:
    with answers_kept(home) as keep:
        keep(ANSWERS)
        record(home).with_name("notified.json").write_text("{}")

    assert not (home.path / KEPT).exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"state": [], "answers": 1}', "\x00", '{"answers": {}}'])
def test_a_damaged_file_counts_as_none(home: Home, cloud: Cloud, text: str) -> None:
    (home.path / KEPT).write_text(text)

    assert asked(home, "/runs") == RUNS


def test_a_question_without_an_answer_keeps_none(home: Home, cloud: Cloud) -> None:
    with pytest.raises(SeedbedError, match="nothing here"):
        asked(home, "/runs/sb-2")

    assert asked(home, "/runs") == RUNS


@pytest.mark.parametrize("change", [{"pending": {"last_at": ""}}, {"runs": [{"run_id": "sb-2", "state": "Tuning"}]}])
def test_a_cloud_that_ends_in_the_middle_of_a_run_leaves_no_answers(cloud: Cloud, change: dict[str, Any]) -> None:
    assert last_answers(cloud) == {path: ANSWERS[path] for path in ASKED}  # type: ignore[arg-type]
    cloud.answers["/runs"] = {**RUNS, **change}

    assert last_answers(cloud) == {}  # type: ignore[arg-type]


def test_the_file_is_private(home: Home, cloud: Cloud) -> None:
    asked(home, "/runs")

    assert (home.path / KEPT).stat().st_mode & 0o077 == 0
    assert json.loads((home.path / KEPT).read_text())["answers"] == {"/runs": RUNS}
