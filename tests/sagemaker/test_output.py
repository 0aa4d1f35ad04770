"""Output as programs write it: progress bars, colours, long lines, and processes that keep the pipe."""

import os
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import psutil
import pytest

from seedbed.local_cloud.sagemaker import cloudwatch, jobs
from seedbed.local_cloud.sagemaker.cloudwatch import CloudWatch, WaitingLines
from seedbed.local_cloud.sagemaker.containers import output
from seedbed.local_cloud.sagemaker.containers.output import CUT, LINE_BYTES, Lines
from seedbed.local_cloud.sagemaker.containers.process import Launch, ProcessRunner, Stop
from seedbed.local_cloud.sagemaker.containers.terminal_text import visible, visible_states
from tests.waiting import wait_for

STREAM = ("group", "stream")
CLOCK = "seedbed.local_cloud.sagemaker.jobs.time.monotonic"


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []
        self.notes: list[str] = []

    def on_line(self, line: str, ended: bool) -> None:
        self.lines.append((line, ended))

    def note(self, text: str) -> None:
        self.notes.append(text)


def lines_of(*chunks: bytes) -> list[tuple[bytes, bool]]:
    lines = Lines()
    return [*(line for chunk in chunks for line in lines.add(chunk)), *lines.end()]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\nb\n"], [(b"a", True), (b"b", True)]),
        ([b"a\r\nb"], [(b"a", True), (b"b", True)]),
        ([b"a", b"b\nc"], [(b"ab", True), (b"c", True)]),
        ([b"1\r2\r3\n"], [(b"1", False), (b"2", False), (b"3", True)]),
        ([b"a\r\r\n"], [(b"a", True)]),
        ([b"\n\n"], [(b"", True), (b"", True)]),
        ([b"half\r"], [(b"half", False), (b"", True)]),
        ([b"a\r", b"\nb\n"], [(b"a", False), (b"", True), (b"b", True)]),
        ([b"\xe2\x82", b"\xac\n"], [("€".encode(), True)]),
        ([], []),
    ],
)
def test_a_line_ends_at_line_feed_or_carriage_return(chunks: list[bytes], expected: list[tuple[bytes, bool]]) -> None:
    assert lines_of(*chunks) == expected


def test_a_line_of_any_length_takes_a_bounded_memory() -> None:
    chunk = b"x" * 2**16
    lengths = [len(line) for line, _ in lines_of(*[chunk] * 130)]
    assert lengths == [LINE_BYTES, LINE_BYTES, 2 * 2**16]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("plain, \N{SNOWMAN} and\ttabs", ["plain, \N{SNOWMAN} and\ttabs"]),
        ("\x1b[1mval\x1b[0m_\x1b[38;5;196macc\x1b[m=0.5", ["val_acc=0.5"]),
        ("\x1b]0;title\x07loss=1\x1b]8;;http://x\x1b\\link", ["loss=1link"]),
        ("\x1b(Bloss", ["loss"]),
        ("loss=0.5\x1b[1Gloss=0.4\x1b[K", ["loss=0.5", "loss=0.4"]),
        ("\x1b[?25l\x1b[2K\x1b[1A1/2", ["1/2"]),
        ("loss: 0.57\b\b46", ["loss: 0.46"]),
        ("1/2" + "\b" * 40 + "2/2", ["1/2", "2/2"]),
        ("l\0o\0s\0s\0", ["loss"]),
        ("\x1b[31", ["31"]),
        ("\x1b", []),
        ("\x9b1mloss", ["loss"]),
    ],
)
def test_what_a_terminal_shows_is_without_codes(text: str, states: list[str]) -> None:
    assert visible_states(text) == states


@pytest.mark.parametrize("unit", ["\x1b[", "\x1b]", "a\b", "\b", "\x1b[1", "\r", "\x1b[m\0"])
def test_a_line_of_codes_alone_is_read_in_no_time(unit: str) -> None:
    began = psutil.Process().cpu_times().user
    visible(unit * (2**20 // len(unit)))
    assert psutil.Process().cpu_times().user - began < 10


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What an Output sends to its log, for a clock that stands still."""
    monkeypatch.setattr(CLOCK, lambda: 100.0)
    return []


def output_to(sent: list[str]) -> jobs.Output:
    services: Any = SimpleNamespace(
        cloudwatch=SimpleNamespace(of=lambda _: SimpleNamespace(line=lambda stream, line: sent.append(line))),
        launcher=None,
    )
    return jobs.Output(services, "group", "job", "us-east-1")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("".join(f"\r{i}%" for i in range(101)) + "\n", ["100%"]),
        ("\r1%\r2%\r   \rval_accuracy=0.875\n", ["val_accuracy=0.875"]),
        ("\r1%\r2%\r    \r\nnext\n", ["2%", "next"]),
        ("\r45%", ["45%"]),
        ("45%\r", ["45%"]),
        ("45%\r\x1b[?25h\x1b[K\n", ["45%"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("\x1b[31mred\x1b[0m\n", ["\x1b[31mred\x1b[0m"]),
    ],
)
def test_of_a_progress_bar_the_log_has_the_last_state(sent: list[str], written: str, shown: list[str]) -> None:
    heard = output_to(sent)
    for line, ended in lines_of(written.encode()):
        heard.on_line(line.decode(), ended)
    assert sent == shown
    assert heard.tail() == [visible(line) for line in shown]


def test_a_long_progress_bar_is_logged_every_ten_seconds(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    heard = output_to(sent)
    for second in range(100, 131):
        monkeypatch.setattr(CLOCK, lambda now=second: float(now))
        heard.on_line(f"{second}", ended=False)
    assert sent == ["110", "120", "130"]


def run(program: str, folder: Path, heard: Any) -> Any:
    runner = ProcessRunner(1.0)
    launch = Launch([sys.executable, "-u", "-c", program], folder, dict(os.environ), folder / "log", 3600)
    try:
        return runner.run(launch, Stop(), lambda identity: None, heard)
    finally:
        runner.close()


def test_the_file_has_a_programs_bytes_and_the_listener_its_lines(tmp_path: Path) -> None:
    heard = Heard()
    written = b"a\r\nb\rc\n\xff\xfe\0\x1b[1m\nend"
    run(f"import sys; sys.stdout.buffer.write({written!r})", tmp_path, heard)
    assert (tmp_path / "log").read_bytes() == written
    ended = [line for line, ended in heard.lines if ended]
    assert ended == ["a", "c", "\N{REPLACEMENT CHARACTER}" * 2 + "\0\x1b[1m", "end"]


def test_a_line_that_is_too_long_is_cut_with_a_note(tmp_path: Path) -> None:
    heard = Heard()
    run(f"import sys; sys.stdout.write('x' * {LINE_BYTES + 2**20} + '\\nnext\\n')", tmp_path, heard)
    assert heard.notes == [CUT]
    assert heard.lines[-1] == ("next", True)
    assert sum(len(line) for line, _ in heard.lines) == LINE_BYTES + 2**20 + 4


def test_all_that_a_fast_writer_writes_is_heard(tmp_path: Path) -> None:
    heard = Heard()
    run("for i in range(100_000): print(i)", tmp_path, heard)
    assert [line for line, _ in heard.lines] == [str(i) for i in range(100_000)]


def test_a_file_that_is_full_says_so_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LOG_BYTES", 1000)
    heard = Heard()
    run("for i in range(1000): print(i)", tmp_path, heard)
    assert (tmp_path / "log").read_bytes()[1000:] == output.LOG_END
    assert len(heard.lines) == 1000


def test_a_process_that_has_left_the_group_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the pipe still; what it says later is not heard."""
    monkeypatch.setattr(output, "DRAIN_SECONDS", 0.05)
    child = "import signal, time; print('child', flush=True); signal.alarm(600); time.sleep(600)"
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "print(child.pid)\n"
    )
    heard = Heard()
    run(program, tmp_path, heard)
    process = psutil.Process(int(next(line for line, _ in heard.lines if line.isdecimal())))
    assert process.is_running()
    process.kill()


def test_a_long_line_is_several_events_and_a_batch_is_no_more_than_a_mebibyte() -> None:
    logs = MagicMock()
    watch = CloudWatch(SimpleNamespace(logs=logs, cloudwatch=MagicMock()))  # type: ignore[arg-type]
    text = "€" * 700_000 + "end"
    watch.line(STREAM, text)
    watch.line(STREAM, "")
    watch.start()
    watch.stop(60)
    batches = [call.kwargs["logEvents"] for call in logs.put_log_events.call_args_list]
    sizes = [[len(event["message"].encode()) + 26 for event in batch] for batch in batches]
    assert "".join(event["message"] for batch in batches for event in batch) == text
    assert max(map(max, sizes)) <= 2**18
    assert max(map(sum, sizes)) <= 2**20


def test_lines_that_cloudwatch_does_not_take_in_time_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "WAITING_LINES", 3)
    waiting = WaitingLines()
    for number in range(1237):
        waiting.add(number, str(number))
    first, *rest = waiting.taken()
    assert first["message"].startswith("[1,234 lines are missing here")
    assert [line["message"] for line in rest] == ["1234", "1235", "1236"]
    assert all(one["timestamp"] <= other["timestamp"] for one, other in pairwise([first, *rest]))


def test_waiting_lines_take_a_bounded_memory() -> None:
    waiting = WaitingLines()
    for number in range(100):
        waiting.add(number, "x" * 2**18)
    assert sum(len(line["message"]) for line in waiting.lines) <= cloudwatch.WAITING_BYTES


def test_many_waiting_lines_are_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "INTERVAL", 3600.0)
    logs = MagicMock()
    watch = CloudWatch(SimpleNamespace(logs=logs, cloudwatch=MagicMock()))  # type: ignore[arg-type]
    watch.start()
    for number in range(cloudwatch.WAITING_LINES // 2):
        watch.line(STREAM, str(number))
    wait_for(lambda: logs.put_log_events.called, "lines that are sent before the hour is over")
    watch.stop(60)
