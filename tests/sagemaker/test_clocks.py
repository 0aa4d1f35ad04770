"""The machine's clock is set while jobs run: waits use elapsed time, and recorded times stay in order."""

import time
from pathlib import Path
from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.kinds import PROCESSING, TRAINING, TUNING, Kind
from seedbed.local_cloud.sagemaker.records.ledger import Ledger, put_times_in_order
from seedbed.local_cloud.sagemaker.records.store import Store
from seedbed.local_cloud.sagemaker.records.transitions import end
from seedbed.local_cloud.sagemaker.training.spot import Clock
from seedbed.local_cloud.sagemaker.tuning.limits import Limits
from tests.sagemaker.settings import endpoint_settings

HOUR = 3600.0
SPOT = {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}}


class MachineClock:
    """What `time.time` returns: the real time plus `ahead` seconds."""

    def __init__(self) -> None:
        self._true, self.ahead = time.time, 0.0

    def __call__(self) -> float:
        return self._true() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    machine = MachineClock()
    monkeypatch.setattr(time, "time", machine)
    return machine


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    settings = endpoint_settings(tmp_path)
    return Ledger(Store(tmp_path / "jobs.db"), settings)


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_job_runs_and_waits_by_elapsed_time(step: float, clock: MachineClock) -> None:
    kept = Clock.of({"CreationTime": time.time(), **SPOT}, used=10.0)
    kept.start()
    clock.ahead = step
    assert 10.0 <= kept.seconds_used() < 15.0
    assert 85.0 < kept.seconds_to_wait() <= 90.0
    assert not kept.waited_too_long()


def test_a_job_created_in_the_future_waits_no_longer_than_its_limit(clock: MachineClock) -> None:
    """As after a restart of the endpoint, if the clock was set back in between."""
    created = time.time()
    clock.ahead = -HOUR
    assert Clock.of({"CreationTime": created, **SPOT}, used=0.0).seconds_to_wait() <= 90.0
    config = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}}
    assert 115.0 < Limits.read(config, created).seconds_left() <= 120.0


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_tuning_job_runs_by_elapsed_time(step: float, clock: MachineClock) -> None:
    config = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}}
    limits = Limits.read(config, time.time())
    clock.ahead = step
    assert 115.0 < limits.seconds_left() <= 120.0


def test_a_resumed_tuning_job_has_only_the_rest_of_its_time() -> None:
    config = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}}
    assert 55.0 < Limits.read(config, time.time() - 60).seconds_left() <= 60.0


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (TRAINING, ["TrainingStartTime", "TrainingEndTime"]),
        (PROCESSING, ["ProcessingStartTime", "ProcessingEndTime"]),
        (TUNING, ["HyperParameterTuningEndTime"]),
    ],
)
def test_recorded_times_never_go_backwards(kind: Kind, changes: list[str], ledger: Ledger, clock: MachineClock) -> None:
    body = ledger.create(kind, {kind.name_field: "stepped"}, [])
    times = [body["CreationTime"]]
    for name in changes:
        clock.ahead -= HOUR

        def now(changed: dict[str, Any], name: str = name) -> None:
            changed[name] = time.time()

        times.append(ledger.change(kind, "stepped", now)[name])
    assert times == sorted(times)
    assert ledger.find(kind, "stepped").body["LastModifiedTime"] >= times[-1]


def test_a_training_job_that_seems_to_end_early_has_the_time_it_used(ledger: Ledger, clock: MachineClock) -> None:
    ledger.create(TRAINING, {"TrainingJobName": "stepped"}, [])
    ledger.change(TRAINING, "stepped", lambda body: body.update(TrainingStartTime=time.time()))
    clock.ahead = -HOUR
    body = ledger.change(TRAINING, "stepped", lambda body: end(body, "Completed", "Completed", "", 41.2))
    assert (body["TrainingTimeInSeconds"], body["BillableTimeInSeconds"]) == (42, 42)
    steps = body["SecondaryStatusTransitions"]
    times = [step[name] for step in steps for name in ("StartTime", "EndTime")]
    assert times == sorted(times)


def test_ordered_times_stay_unchanged() -> None:
    body = {"CreationTime": 1.0, "TrainingStartTime": 2.0, "TrainingEndTime": 3.0, "LastModifiedTime": 4.0}
    put_times_in_order(ordered := dict(body))
    assert ordered == body
