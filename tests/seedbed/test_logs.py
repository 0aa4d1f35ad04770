"""`seedbed logs` prints what a run's jobs have printed, by CloudWatch Logs or by a local cloud's files."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seedbed.errors import SeedbedError
from seedbed.local_cloud.home.folder import Home
from seedbed.stack import Stack
from seedbed.watch.jobs import PROCESSING_LOGS, TRAINING_LOGS
from seedbed.watch.logs import CloudWatchSource, FileSource, RunLogs, plain
from tests.seedbed.commands import Person

RUN = "sb-0123456789abcdef-1"
TRIAL, FINE = f"{RUN}-001-0a1b2c3d", f"{RUN}-fine-001-0a1b2c3d"
AT = 1000 * int(time.time())


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack on AWS whose jobs have printed something."""
    with mock_aws():
        found = Stack(boto3.session.Session(region_name="us-east-1"), None, {})
        say(found, PROCESSING_LOGS, f"{RUN}-prepare/algo-1-1", "progress: 1/2 images", "progress: 2/2 images")
        say(found, PROCESSING_LOGS, f"{RUN}-merge/algo-1-1", "merged")
        say(found, TRAINING_LOGS, f"{TRIAL}/algo-1-1", "epoch 1/20")
        say(found, TRAINING_LOGS, f"{RUN}-refit/algo-1-1", "epoch 1/16")
        say(found, TRAINING_LOGS, f"{FINE}/algo-1-1", "epoch 1/3")
        say(found, PROCESSING_LOGS, f"{RUN}-evaluate/algo-1-1", "chosen")
        say(found, TRAINING_LOGS, f"{RUN}0-001-ffffffff/algo-1-1", "another run's")
        yield found


def say(stack: Stack, group: str, stream: str, *lines: str) -> None:
    """Lines reach a log stream."""
    logs = stack.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": AT + number, "message": line} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_the_jobs_stand_in_the_order_of_the_stages(stack: Stack) -> None:
    found = RunLogs(RUN, [CloudWatchSource(stack)])

    lines = [(found.short(line.job), line.text) for line in found.new_lines()]

    assert lines == [
        ("prepare", "progress: 1/2 images"),
        ("prepare", "progress: 2/2 images"),
        ("merge", "merged"),
        ("001-0a1b2c3d", "epoch 1/20"),
        ("refit", "epoch 1/16"),
        ("fine-001-0a1b2c3d", "epoch 1/3"),
        ("evaluate", "chosen"),
    ]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("1", "epoch 1/20"),
        ("001", "epoch 1/20"),
        ("fine-1", "epoch 1/3"),
        ("001-0a1b2c3d", "epoch 1/20"),
        ("001-0a1b2c3d head 2", "epoch 1/20"),
        (TRIAL, "epoch 1/20"),
        ("evaluate", "chosen"),
        ("merge", "merged"),
        ("refit", "epoch 1/16"),
    ],
)
def test_one_job_is_found_by_its_name_or_number(stack: Stack, wanted: str, said: str) -> None:
    found = RunLogs(RUN, [CloudWatchSource(stack)], wanted)

    assert [line.text for line in found.new_lines()] == [said]


def test_a_job_that_the_run_lacks_is_a_sentence_with_those_it_has(stack: Stack) -> None:
    with pytest.raises(SeedbedError, match="It has: prepare, merge, 001-0a1b2c3d, refit"):
        list(RunLogs(RUN, [CloudWatchSource(stack)], "9").new_lines())


def test_lines_are_read_once(stack: Stack) -> None:
    found = RunLogs(RUN, [CloudWatchSource(stack)], "prepare")
    list(found.new_lines())
    again = [{"timestamp": AT + 9, "message": "wrote the report"}]
    names = {"logGroupName": PROCESSING_LOGS, "logStreamName": f"{RUN}-prepare/algo-1-1"}
    stack.client("logs").put_log_events(**names, logEvents=again)

    assert [line.text for line in found.new_lines()] == ["wrote the report"]


def test_files_are_read_where_cloudwatch_has_no_log(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "sagemaker" / "logs" / "training-job"
    folder.mkdir(parents=True)
    (folder / f"{RUN}-002-0a1b2c3d.log").write_bytes(b"10%\r90%\r100%\nepoch 1/20\xff\n")
    found = RunLogs(RUN, [CloudWatchSource(stack), FileSource(Home(tmp_path))], "2")

    assert [line.text for line in found.new_lines()] == ["100%", "epoch 1/20\N{REPLACEMENT CHARACTER}"]
    assert list(found.new_lines()) == []


def test_colours_and_tabs_are_taken_out() -> None:
    assert plain("\x1b[31mloss\x1b[0m\t1") == "loss    1"


@pytest.mark.parametrize(("state", "words"), [("Completed", "too long ago"), ("Preparing", "none has begun to print")])
def test_no_log_at_all_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: Stack, state: str, words: str
) -> None:
    monkeypatch.setattr(Stack, "get", lambda *_: {"state": state})
    monkeypatch.setattr("seedbed.commands.options.aws_stack", lambda _: stack)

    outcome = Person(monkeypatch, capsys).runs("logs", "sb-ffffffffffffffff-1", "--aws", "mine")

    outcome.assert_is_sentence(status=1)
    assert words in outcome.notes


def test_programs_get_an_object_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: Stack
) -> None:
    run: dict[str, Any] = {"state": "Completed"}
    monkeypatch.setattr(Stack, "get", lambda *_: run)
    monkeypatch.setattr("seedbed.commands.options.aws_stack", lambda _: stack)

    outcome = Person(monkeypatch, capsys).runs("logs", RUN, "1", "--json", "--aws", "mine")

    assert (outcome.status, outcome.notes) == (0, "")
    assert json.loads(outcome.output) == {"job": TRIAL, "at": AT, "line": "epoch 1/20"}
