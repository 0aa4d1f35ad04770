"""Metrics out of lines, and regular expressions that nobody should have written."""

import threading
import time

import pytest

from seedbed.local_cloud.sagemaker.errors import Invalid
from seedbed.local_cloud.sagemaker.training.metrics import MATCH_SECONDS, OVERRUNS, Metrics

CATASTROPHIC = {"Name": "slow", "Regex": r"((a|aa)+)+$"}
LOSS = {"Name": "loss", "Regex": r"loss: ([0-9.]+)"}


def test_the_last_match_of_a_line_counts_and_the_last_line_at_the_end() -> None:
    metrics = Metrics([LOSS])
    assert metrics.read("loss: 0.9 loss: 0.8", 1.0) == {"loss": 0.8}
    assert metrics.read("loss: 0.7", 2.0) == {"loss": 0.7}
    assert metrics.read("nothing", 3.0) == {}
    assert metrics.series("loss") == [0.8, 0.7]
    assert metrics.final() == [{"MetricName": "loss", "Value": 0.7, "Timestamp": 2.0}]


@pytest.mark.parametrize("text", [".", "1.2.3", ""])
def test_what_is_no_finite_number_is_no_value(text: str) -> None:
    assert Metrics([{"Name": "loss", "Regex": "loss: (.*)"}]).read(f"loss: {text}", 1.0) == {}


def test_infinity_is_no_value() -> None:
    assert Metrics([{"Name": "loss", "Regex": "loss: (.*)"}]).read("loss: inf", 1.0) == {}


@pytest.mark.parametrize("text", ["(", "[0-9]+", "(?P<a>x)(?P=b)"])
def test_an_expression_that_cant_be_read_or_captures_nothing_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match="'odd'"):
        Metrics([{"Name": "odd", "Regex": text}])


def test_a_catastrophic_expression_is_given_up_and_the_others_are_read_on() -> None:
    metrics = Metrics([CATASTROPHIC, LOSS])
    line = "a" * 4000 + "! loss: 0.5"
    began = time.monotonic()
    for _ in range(OVERRUNS):
        assert metrics.read(line, 1.0) == {"loss": 0.5}
    assert time.monotonic() - began < OVERRUNS * MATCH_SECONDS * 20
    began = time.process_time()
    assert metrics.read(line, 1.0) == {"loss": 0.5}
    assert time.process_time() - began < MATCH_SECONDS, "it is not tried any more"


def test_other_threads_run_while_an_expression_takes_its_time() -> None:
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.002):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    metrics = Metrics([CATASTROPHIC])
    for _ in range(OVERRUNS):
        metrics.read("a" * 4095 + "!", 1.0)
    over.set()
    thread.join()
    assert ticks > OVERRUNS, "the regular expression held nobody up"
