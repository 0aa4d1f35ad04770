"""A run does not wait for the clock if it is set back during the quiet period."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.environment import cloud_environment
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.notifications.kept import text_of
from tests.local_cloud.conftest import up
from tests.local_cloud.machine_clock import MachineClock, machine_clock

# More than clocks differ, less than a signature's time may differ.
STEP = 240


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    """The clock of the local cloud and its child processes."""
    clock = machine_clock(tmp_path) if sys.platform == "linux" else None
    if clock is None:
        pytest.skip("setting a clock needs Linux and a C compiler")

    def environment(*given: Any) -> dict[str, str]:
        return {**cloud_environment(*given), **clock.environment}

    monkeypatch.setattr("seedbed.local_cloud.process.cloud_environment", environment)
    return clock


def test_a_clock_set_back_in_the_quiet_period_delays_no_run(tmp_path: Path, clock: MachineClock) -> None:
    clock.set(STEP)
    home = Home(tmp_path / "seedbed")
    with up(home) as cloud:
        cloud.put_images(range(48))
        cloud.wait_for(lambda: cloud.stack.get("/runs")["pending"], "uploads that are noted")
        clock.set(0)
        [run] = cloud.wait_for(cloud.runs, "a run though the clock was set back")
        cloud.stack.post(f"/runs/{run['run_id']}/stop")
        [run] = cloud.ended_runs(1)
        [mail] = cloud.mails(1)
        assert datetime.fromisoformat(run["ended_at"]) >= datetime.fromisoformat(run["created_at"])
        [duration] = [line for line in text_of(mail).splitlines() if line.startswith("Time: ")]
        assert "-" not in duration
