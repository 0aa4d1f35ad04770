"""`seedbed ranges`: a file is checked as the functions check it, then put into the bucket."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from job_manager.aws.search_space_file import LARGEST_FILE
from job_manager.domain.dataset import SEARCH_SPACE_FILE
from seedbed.commands.tuning import ranges
from seedbed.stack import Stack
from tests.seedbed.commands import Person

WIDE = {"heads": {"learning_rate": {"low": 0.0005, "high": 0.02, "scale": "log"}}}


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Person]:
    """Somebody in an empty folder whose stack has a bucket."""
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket="seedlings")

        @contextmanager
        def stack(_: str) -> Iterator[Stack]:
            yield Stack(session, None, {"BucketName": "seedlings"})

        monkeypatch.setattr(ranges, "stack_for", stack)
        monkeypatch.chdir(tmp_path)
        yield Person(monkeypatch, capsys)


def in_bucket() -> Any:
    """The ranges in the bucket; None without."""
    s3 = boto3.client("s3")
    if not s3.list_objects_v2(Bucket="seedlings")["KeyCount"]:
        return None
    return json.loads(s3.get_object(Bucket="seedlings", Key=SEARCH_SPACE_FILE)["Body"].read())


def test_ranges_are_put_into_the_bucket_shown_and_dropped(person: Person) -> None:
    Path("wide.json").write_text(json.dumps(WIDE, indent=1))

    outcome = person.runs("ranges", "wide.json")

    assert outcome.status == 0
    assert outcome.output.startswith("The next run searches these ranges. Start it now: ")
    assert in_bucket() == WIDE
    assert json.loads(person.runs("ranges").output) == WIDE
    assert person.runs("ranges", "--usual").output == "The next run searches the usual ranges.\n"
    assert in_bucket() is None
    outcome = person.runs("ranges")
    assert (outcome.status, outcome.output) == (0, "")
    assert "There are no ranges in the bucket" in outcome.notes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b'{"heads": {"epochs": {"value": 0}}}',
            "In mine.json, heads.epochs must be within whole numbers from 1 to 10",
        ),
        (b'{"heads": {"epoch": {"value": 1}}}', "In mine.json, heads can't have 'epoch', but only learning_rate, epo"),
        (
            b'{"heads": {"\\u001b[2J": {"value": 1}}}',
            "In mine.json, heads can't have '\\x1b[2J', but only learning_rate",
        ),
        (b"low: 3", "mine.json must be JSON of the form"),
        (b" " * (LARGEST_FILE + 1), "mine.json is larger than 64 KiB."),
    ],
    ids=["number", "name", "control character", "YAML", "size"],
)
def test_a_file_that_cant_be_searched_is_refused_and_not_put(person: Person, content: bytes, sentence: str) -> None:
    Path("mine.json").write_bytes(content)

    outcome = person.runs("ranges", "mine.json")

    outcome.assert_is_sentence(status=1)
    assert outcome.notes.startswith(f"Error: {sentence}")
    assert in_bucket() is None


def test_what_is_not_a_file_is_refused(person: Person, tmp_path: Path) -> None:
    os.mkfifo("pipe")

    for name in ("pipe", "missing.json", tmp_path):
        person.runs("ranges", name).assert_is_sentence(status=1)


def test_a_file_and_the_usual_ranges_at_once_are_refused(person: Person) -> None:
    person.runs("ranges", "wide.json", "--usual").assert_is_sentence(status=2)


def test_the_command_and_the_functions_name_the_same_file_of_the_same_size() -> None:
    assert (ranges.KEY, ranges.LARGEST) == (SEARCH_SPACE_FILE, LARGEST_FILE)
