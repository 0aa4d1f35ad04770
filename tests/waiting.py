"""How tests wait: for as long as something moves, and in vain only once nothing has for a long while."""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

PATIENCE = 300
"""Seconds without any progress after which a test fails; also what a test gives a connection to answer in."""
PAUSE, LONGEST_PAUSE = 0.02, 0.2
"""Seconds between two questions: few at first, and more the longer a wait has lasted, as asking is work too."""
PAUSE_SHARE = 0.02
"""Of the time waited so far: how long the next pause is."""
BETWEEN_LOOKS = 0.5
"""Seconds after which it is looked again whether something moves."""
LEAST_SHARE = 0.01
"""Of a processor: who gets less does nothing but look again and again."""
LONGEST_LOOK = 1.0
"""What one look counts for at most: a machine that slept, or gave the test no processor, has not made it wait."""


def wait_for(
    condition: Callable[[], Any],
    what: str = "",
    progress: Callable[[], object] = lambda: None,
    pause: float | None = None,
) -> Any:
    """The first true answer of `condition`; fails the test with `what` once `progress` has long been the same.

    Without a `pause` in seconds, questions become rarer the longer it lasts: name one to catch a short moment.
    """
    began = looked = time.monotonic()
    seen, still = progress(), 0.0
    while not (answer := condition()):
        now = time.monotonic()
        if now - looked >= BETWEEN_LOOKS:
            moved = progress()
            still = 0.0 if moved != seen else still + min(now - looked, LONGEST_LOOK)
            seen, looked = moved, now
        if still > PATIENCE:
            pytest.fail(f"waited in vain for {what or condition}: nothing has moved for {PATIENCE} s")
        time.sleep(min(max(PAUSE, PAUSE_SHARE * (now - began)), LONGEST_PAUSE) if pause is None else pause)
    return answer


def jobs_progress(sagemaker: Path) -> object:
    """What changes while an endpoint's jobs are at work, in the folder where it keeps them: what they say and are."""
    said: dict[Path, int] = {}
    for log in sagemaker.glob("logs/*/*.log"):
        with contextlib.suppress(FileNotFoundError):
            said[log] = log.stat().st_size
    place = f"file:{sagemaker / 'jobs.db'}?mode=ro"
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(place, uri=True, timeout=1)) as records,
    ):
        return said, records.execute("SELECT kind, key, status, body FROM jobs ORDER BY kind, key").fetchall()
    return said, None


def work_of(pid: int) -> int:
    """What moves while a process and all that it has started work, and hardly while they look for something to do."""
    return int(time_spent(pid) / (PATIENCE * LEAST_SHARE))


def time_spent(pid: int) -> float:
    """The processor time of a process and all that it has started, in seconds."""
    spent = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                spent += sum(one.cpu_times()[:2])
    return spent
