"""When a disk is short of space, and what is reported then: the free bytes are set, the rest is real."""

from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.disk import MIB, Disk
from seedbed.local_cloud.sagemaker.kinds import PROCESSING


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk with plenty of space."""
    disk = Disk(tmp_path)
    disk.floor = 100 * MIB
    have(disk, 1000, monkeypatch)
    return disk


def have(disk: Disk, mebibytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets how much is free from now on."""
    monkeypatch.setattr(disk, "free", lambda: mebibytes * MIB)


def test_a_disk_stays_short_until_a_quarter_more_is_free(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for free in (101, 99, 110, 124, 125, 101):
        have(disk, free, monkeypatch)
        seen.append(disk.is_short())

    assert seen == [False, True, True, True, False, False]


def test_a_waiting_jobs_description_says_what_it_waits_for(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"ProcessingJobName": "Pack", "ProcessingJobStatus": "InProgress"}
    have(disk, 1, monkeypatch)
    with disk.mark_waiting([(PROCESSING, "Pack")]):
        assert (
            "has less than 100 MiB free. Make room on it" in disk.with_waiting_reason(PROCESSING, job)["FailureReason"]
        )
        assert disk.waiting() == ["pack"]
        ended = {**job, "ProcessingJobStatus": "Stopped"}
        assert disk.with_waiting_reason(PROCESSING, ended) == ended
    assert disk.with_waiting_reason(PROCESSING, job) == job


def test_an_unwritable_disk_with_space_is_reported_as_such(disk: Disk) -> None:
    assert "can't be written to. See to its permissions" in disk.sentence()


def test_the_floor_is_small_on_a_small_disk(tmp_path: Path) -> None:
    assert 0 < Disk(tmp_path).floor <= 256 * MIB
