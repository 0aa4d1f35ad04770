"""Metrics in lines of output, and regular expressions that take too long."""

import threading
import time

import pytest

from seedbed.local_cloud.sagemaker.errors import Invalid
from seedbed.local_cloud.sagemaker.training.metrics import MAX_POINTS, OVERRUNS, Metrics
from tests.waiting import wait_for

CATASTROPHIC = {"Name": "slow", "Regex": r"((1|11)+)+$"}
LOSS = {"Name": "loss", "Regex": r"loss: ([0-9.]+)"}
ANY_LOSS = {"Name": "loss", "Regex": "loss: (.*)"}


def test_the_last_match_counts_in_a_line_and_the_last_line_at_the_end() -> None:
    metrics = Metrics([LOSS])
    assert metrics.read("loss: 0.9 loss: 0.8", 1.0) == {"loss": 0.8}
    assert metrics.read("loss: 0.7", 2.0) == {"loss": 0.7}
    assert metrics.read("nothing", 3.0) == {}
    assert metrics.series("loss") == [0.8, 0.7]
    assert metrics.final() == [{"MetricName": "loss", "Value": 0.7, "Timestamp": 2.0}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.3", -0.3),
        ("+3", 3.0),
        (" 0.5 ", 0.5),
        ("1E6", 1e6),
        ("87", 87.0),
        ("\x1b[32m0.875\x1b[0m", 0.875),
    ],
)
def test_a_number_is_a_value_as_programs_write_it(text: str, value: float) -> None:
    metrics = Metrics([ANY_LOSS])
    assert metrics.read(f"loss: {text}", 1.0) == {"loss": value}
    assert metrics.problem() == ""
    assert metrics.take_notes() == []


@pytest.mark.parametrize(
    "text",
    [
        *(".", "1.2.3", "0.875.", "1e", "-", "n/a", "tensor(0.5)", "0x1p3", "9" * 500),
        *("inf", "-Infinity", "nan", "1e999"),
        *("0,875", "87.5%", "1,234.5", "1_000", "1 000"),
        *("\N{MINUS SIGN}0.3", "\N{ARABIC-INDIC DIGIT THREE}"),
    ],
)
def test_a_match_that_is_not_a_number_is_named_with_its_text(text: str) -> None:
    metrics = Metrics([ANY_LOSS])
    assert metrics.read(f"loss: {text}", 1.0) == {}
    shown = f"{text[:60]}…" if len(text) > 60 else text
    sentence = f"Metric 'loss' matched '{shown}', which is not a finite number such as 0.875, -3 or 1e-05."
    assert metrics.problem() == sentence
    assert metrics.take_notes() == [sentence]
    metrics.read(f"loss: {text}", 2.0)
    assert metrics.take_notes() == []


@pytest.mark.parametrize(("expression", "line"), [("loss: (.*)", "loss: "), ("loss=(a)|acc=(.)", "acc=1")])
def test_an_empty_first_group_is_said_so(expression: str, line: str) -> None:
    metrics = Metrics([{"Name": "m", "Regex": expression}])
    assert metrics.read(line, 1.0) == {}
    assert metrics.problem() == (
        "Metric 'm' matched without a number: the first group of its regular expression was empty."
    )


def test_the_first_of_several_groups_is_the_value() -> None:
    assert Metrics([{"Name": "m", "Regex": r"(\d+)/(\d+)"}]).read("3/9", 1.0) == {"m": 3.0}


def test_a_metric_with_one_value_has_no_problem() -> None:
    metrics = Metrics([ANY_LOSS])
    metrics.read("loss: unknown so far", 1.0)
    assert metrics.read("loss: 0.5", 2.0) == {"loss": 0.5}
    assert metrics.problem() == ""


def test_the_last_number_of_a_line_counts_before_a_later_word() -> None:
    assert Metrics([{"Name": "m", "Regex": r"m=(\S+)"}]).read("m=1 m=2 m=n/a", 1.0) == {"m": 2.0}


def test_problems_of_many_metrics_are_three_sentences_and_a_count() -> None:
    metrics = Metrics([{"Name": f"m{i}", "Regex": "is (.*)"} for i in range(9)])
    metrics.read("is what", 1.0)
    assert metrics.problem().count("matched 'what'") == 3
    assert metrics.problem().endswith(" 6 more metrics have no value either.")
    assert metrics.problem(only="m8").startswith("Metric 'm8' matched 'what'")


def test_unprintable_letters_of_a_match_are_replaced() -> None:
    metrics = Metrics([ANY_LOSS])
    metrics.read("loss: a\x07b\u202ec", 1.0)
    assert "'a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c'" in metrics.problem()


@pytest.mark.parametrize(
    "line",
    [
        "{" + '"layer": "conv2d_3x3_relu", ' * 100_000 + "val_accuracy=0.875}",
        "\x1b[1mval_\x1b[0m\x1b[34maccuracy=0.875",
        "v\0a\0l\0_\0a\0c\0c\0u\0r\0a\0c\0y\0=\0" + "0\0.\0" + "8\0" + "7\0" + "5\0",
        "val_accuracy=0.1\x1b[1Gval_accuracy=0.875\x1b[K",
        "val_accuracy=0.1" + "\b" * 30 + "val_accuracy=0.875",
        "val_accuracy=0.9\b" + "875",
        "\N{REPLACEMENT CHARACTER} val_accuracy=0.875",
    ],
    ids=["late in a long line", "colours", "UTF-16", "cursor", "backspaces", "a backspace", "not UTF-8"],
)
def test_a_metric_is_found_whatever_else_is_in_the_line(line: str) -> None:
    metrics = Metrics([{"Name": "accuracy", "Regex": r"^.*val_accuracy=([0-9.]+)"}])
    assert metrics.read(line, 1.0) == {"accuracy": 0.875}


def test_a_value_that_stays_in_a_progress_bar_counts_once() -> None:
    metrics = Metrics([LOSS])
    bar = [f"{step}/9 loss: {value}" for value in (0.5, 0.4) for step in range(9)]
    found = [metrics.read(state, 1.0, ended=state == bar[-1]) for state in bar]
    assert list(filter(None, found)) == [{"loss": 0.5}, {"loss": 0.4}]
    assert metrics.read("loss: 0.4", 2.0) == {"loss": 0.4}
    assert metrics.read("loss: 0.4", 3.0) == {"loss": 0.4}


def test_metrics_take_a_bounded_memory() -> None:
    metrics = Metrics([LOSS])
    for step in range(MAX_POINTS + 10):
        metrics.read(f"loss: {step}", float(step))
    assert len(metrics.series("loss")) == MAX_POINTS
    assert metrics.final()[0]["Value"] == MAX_POINTS + 9


@pytest.mark.parametrize("text", ["(", "[0-9]+", "(?P<a>x)(?P=b)"])
def test_an_invalid_regular_expression_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match="'odd'"):
        Metrics([{"Name": "odd", "Regex": text}])


def test_a_slow_expression_is_dropped_and_the_others_continue(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics([CATASTROPHIC, LOSS])
    line = "1" * 4000 + "! loss: 0.5"
    said = [metrics.read(line, 1.0) for _ in range(OVERRUNS)]
    assert said == [{"loss": 0.5}] * OVERRUNS
    assert "'slow' takes too long; it is not used any more" in caplog.text
    assert metrics.read("11", 2.0) == {}
    assert metrics.take_notes() == ["The regular expression of metric 'slow' takes too long; it is not used any more."]
    assert "'slow' takes too long" in metrics.problem()


def test_a_slow_expression_is_held_to_its_time_over_all_states_of_a_line() -> None:
    metrics = Metrics([{"Name": "slow", "Regex": r"((1|11)+)+$"}])
    began = time.thread_time()
    metrics.read(("1" * 20 + "!\r") * 20_000, 1.0)
    assert time.thread_time() - began < 30


def test_other_threads_run_during_a_slow_expression() -> None:
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.002):
            ticks += 1

    def ticks_meanwhile() -> int:
        before = ticks
        Metrics([CATASTROPHIC]).read("1" * 4095 + "!", 1.0)
        return ticks - before

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        wait_for(lambda: ticks_meanwhile() > 5, "a regular expression that holds nobody up")
    finally:
        over.set()
        thread.join()
