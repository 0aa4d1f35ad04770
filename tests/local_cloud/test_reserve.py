"""The reserved room is freed when the disk is full."""

from pathlib import Path

import pytest

from seedbed.local_cloud.disk.reserve import Reserve
from seedbed.local_cloud.sagemaker.disk import MIB, Disk


def test_the_reserve_is_deleted_on_a_full_disk_and_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, path, kept = Disk(tmp_path), tmp_path / "reserve", []
    disk.floor = 4 * MIB
    reserve = Reserve(path, disk)

    for free in (100, 3, 0, 2, 100):
        monkeypatch.setattr(disk, "free", lambda free=free: free * MIB)
        reserve.adjust()
        kept.append(path.stat().st_size if path.exists() else 0)

    assert kept == [MIB, MIB, 0, 0, MIB]
