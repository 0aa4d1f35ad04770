"""What a training job printed is read from its log streams."""

import time
from collections.abc import Callable

import boto3
import pytest

from job_manager.aws.logs import GROUP, PROCESSING, CloudWatchLogs
from job_manager.domain.job import Progress
from job_manager.domain.results.trial import Epoch

TRIAL = "sb-0123456789abcdef-1-001-0a1b2c3d"
FIGURES = "train_loss: {0}; train_accuracy: 0.5; validation_loss: 1.25; validation_accuracy: 0.4012;"

Print = Callable[..., None]


def epoch(number: int, loss: float = 0.9) -> str:
    return f"epoch {number}/40 - {FIGURES.format(loss)}"


def read(head: int, number: int, loss: float = 0.9) -> Epoch:
    return Epoch(head, number, loss, 0.5, 1.25, 0.4012)


@pytest.fixture
def printed(aws: None) -> Print:
    """A job prints lines into a log stream of its own."""
    client = boto3.client("logs")
    for group in (GROUP, PROCESSING):
        client.create_log_group(logGroupName=group)

    def put(stream: str, *lines: str, group: str = GROUP) -> None:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)  # type: ignore[arg-type]

    return put


@pytest.fixture
def logs(aws: None) -> CloudWatchLogs:
    return CloudWatchLogs(boto3.client("logs"))


def test_epochs_are_read_in_order_and_other_lines_are_skipped(logs: CloudWatchLogs, printed: Print) -> None:
    printed(f"{TRIAL}/algo-1-1", "starting", epoch(1), "epoch of its own", epoch(2, 0.7), f"best epoch 2 - {FIGURES}")
    printed(f"{TRIAL}0/algo-1-1", epoch(3))

    assert logs.epochs(TRIAL) == [read(1, 1), read(1, 2, 0.7)]


def test_epochs_of_several_heads_are_told_apart(logs: CloudWatchLogs, printed: Print) -> None:
    lines = ["head 1/2: learning_rate 0.003", epoch(1), epoch(2), "head 2/2: learning_rate 0.01", epoch(1, 0.6)]
    printed(f"{TRIAL}/algo-1-1", *lines, f"best head 2/2 - {FIGURES}")

    assert logs.epochs(TRIAL) == [read(1, 1), read(1, 2), read(2, 1, 0.6)]


def test_an_epoch_that_was_repeated_after_an_interruption_counts_once(logs: CloudWatchLogs, printed: Print) -> None:
    printed(f"{TRIAL}/algo-1-1", epoch(1), epoch(2, 0.8))
    printed(f"{TRIAL}/algo-1-2", "continuing after epoch 1 from the checkpoint", epoch(2, 0.7), epoch(3))

    assert logs.epochs(TRIAL) == [read(1, 1), read(1, 2, 0.7), read(1, 3)]


def test_long_logs_are_read_to_their_end(logs: CloudWatchLogs, printed: Print, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("job_manager.aws.logs.LINES_AT_ONCE", 2)
    printed(f"{TRIAL}/algo-1-1", *(epoch(number) for number in range(1, 8)))

    assert logs.epochs(TRIAL) == [read(1, number) for number in range(1, 8)]


def test_a_job_that_has_printed_nothing_has_no_epochs(logs: CloudWatchLogs) -> None:
    assert logs.epochs(TRIAL) == []


def test_the_last_progress_of_a_processing_jobs_latest_attempt_counts(logs: CloudWatchLogs, printed: Print) -> None:
    job = "sb-0123456789abcdef-1-prepare"
    assert logs.progress(job) is None
    printed(f"{job}/algo-1-1", "progress: 70/72 images", group=PROCESSING)
    assert logs.progress(job) == Progress(70, 72)
    printed(f"{job}/algo-1-2", "starting", "progress: 5/72 images", "a warning", group=PROCESSING)
    assert logs.progress(job) == Progress(5, 72)


def test_a_job_without_a_log_has_no_progress(logs: CloudWatchLogs) -> None:
    assert logs.progress("sb-0123456789abcdef-1-prepare") is None
