"""The suite's own waits and child processes: no total time, nothing left behind, nothing of whoever runs it."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests import waiting
from tests.children import ROOT, exited, family_of, started, wait_until_gone
from tests.waiting import wait_for

SLEEP = "import time; time.sleep(600)"
PARENT = f"""
import sys
from tests.children import start
print(start([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
{SLEEP}
"""
IGNORED = "import signal; print(*(signal.getsignal(number) is signal.SIG_IGN for number in (1, 2, 3, 15)))"


class FakeClock:
    """Time that passes by being slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    monkeypatch.setattr(waiting, "BETWEEN_LOOKS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_wait_fails_once_nothing_moves() -> None:
    with pytest.raises(pytest.fail.Exception, match="in vain for a miracle"):
        wait_for(lambda: False, "a miracle")


@pytest.mark.usefixtures("impatient")
def test_a_wait_lasts_while_something_moves() -> None:
    looks, moves = itertools.count(), itertools.count()
    assert wait_for(lambda: next(looks) > 100, "many looks", lambda: next(moves))


def test_questions_and_looks_become_rarer_and_a_named_pause_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(waiting, "time", clock)
    looks = itertools.count()
    wait_for(lambda: clock.now > 60, progress=lambda: next(looks))
    assert clock.slept[0] == waiting.PAUSE
    assert clock.slept[-1] == waiting.LONGEST_PAUSE
    assert clock.slept == sorted(clock.slept)
    assert next(looks) <= 60 / waiting.BETWEEN_LOOKS + 1

    clock.slept.clear()
    wait_for(lambda: clock.now > 120, pause=0.5, progress=lambda: next(looks))
    assert set(clock.slept) == {0.5}


@pytest.fixture
def background() -> Iterator[None]:
    """Signals are ignored, as they are in what a script or nohup leaves in the background."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("background")
def test_a_child_heeds_signals_that_the_tests_ignore() -> None:
    with started([sys.executable, "-c", IGNORED], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.read() == "False False False False\n"
        assert exited(child) == 0


def test_a_child_ends_with_its_block_and_all_that_it_started() -> None:
    words = [sys.executable, "-c", PARENT]
    with suppress(ZeroDivisionError), started(words, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        family = [psutil.Process(child.pid), *family_of(child.pid)]
        raise ZeroDivisionError
    assert len(family) == 2
    wait_until_gone(family)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone kills a process when its parent is killed")
def test_a_child_ends_when_the_tests_are_killed() -> None:
    with started([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE) as tests:
        assert tests.stdout
        child = psutil.Process(int(tests.stdout.readline()))
        tests.kill()
        wait_until_gone([child])
