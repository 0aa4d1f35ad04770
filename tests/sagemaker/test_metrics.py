"""Metrics in lines of output, and regular expressions that take too long."""

import threading

import pytest

from seedbed.local_cloud.sagemaker.errors import Invalid
from seedbed.local_cloud.sagemaker.training.metrics import OVERRUNS, Metrics
from tests.waiting import wait_for

CATASTROPHIC = {"Name": "slow", "Regex": r"((1|11)+)+$"}
LOSS = {"Name": "loss", "Regex": r"loss: ([0-9.]+)"}


def test_the_last_match_counts_in_a_line_and_the_last_line_at_the_end() -> None:
    metrics = Metrics([LOSS])
    assert metrics.read("loss: 0.9 loss: 0.8", 1.0) == {"loss": 0.8}
    assert metrics.read("loss: 0.7", 2.0) == {"loss": 0.7}
    assert metrics.read("nothing", 3.0) == {}
    assert metrics.series("loss") == [0.8, 0.7]
    assert metrics.final() == [{"MetricName": "loss", "Value": 0.7, "Timestamp": 2.0}]


@pytest.mark.parametrize("text", [".", "1.2.3", ""])
def test_only_finite_numbers_are_values(text: str) -> None:
    assert Metrics([{"Name": "loss", "Regex": "loss: (.*)"}]).read(f"loss: {text}", 1.0) == {}


def test_infinity_is_no_value() -> None:
    assert Metrics([{"Name": "loss", "Regex": "loss: (.*)"}]).read("loss: inf", 1.0) == {}


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


def test_metrics_take_the_last_match_and_finite_numbers_only() -> None:
    metrics = Metrics([{"Name": "a", "Regex": "a: ([0-9.naif]+)"}])
    for line in ("a: 1 a: 2", "a: nan", "a: inf", "a: 1.2.3", "b: 4"):
        metrics.read(line, when=9.0)
    assert metrics.series("a") == [2.0]
    assert metrics.final() == [{"MetricName": "a", "Value": 2.0, "Timestamp": 9.0}]
