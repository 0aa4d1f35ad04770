"""Truncated, corrupted, emptied or missing records are reported, moved aside and replaced by their copy."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.kinds import PROCESSING, TRAINING, TUNING, Body
from seedbed.local_cloud.sagemaker.records.database_file import copy_of, repair
from seedbed.local_cloud.sagemaker.records.ledger import Ledger
from seedbed.local_cloud.sagemaker.records.store import Store
from tests.sagemaker.settings import endpoint_settings

JOBS = 200


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Records of many ended jobs, of one in progress when they were copied, and of one created later."""
    path = tmp_path / "jobs.db"
    store = Store(path)
    ledger = Ledger(store, endpoint_settings(tmp_path))
    for number in range(JOBS):
        ledger.create(TRAINING, {"TrainingJobName": f"ended-{number}", "HyperParameters": {"a": "b" * 200}}, [])
        ledger.change(TRAINING, f"ended-{number}", lambda body: body.update(TrainingJobStatus="Completed"))
    ledger.create(TUNING, {"HyperParameterTuningJobName": "search"}, [])
    ledger.create(TRAINING, {"TrainingJobName": "search-001"}, [], "search")
    ledger.change(TRAINING, "search-001", lambda body: body.update(TrainingJobStatus="Completed"))
    store.take_copy()
    ledger.create(PROCESSING, {"ProcessingJobName": "since"}, [])
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._db.close()
    return path


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path, place: int, count: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        bits = file.read(count)
        file.seek(place)
        file.write(bytes(byte ^ 0xFF for byte in bits))


def spoil_a_job(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE jobs SET body = substr(body, 3) WHERE key = 'ended-7'")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "cut to nothing": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_text("not a database " * 1000),
    "a flipped header": lambda path: flip(path, 3),
    "a flipped page": lambda path: flip(path, 4096, 64),
    "a flipped record": spoil_a_job,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_copy_replaces_damaged_records(records: Path, damage: str) -> None:
    DAMAGE[damage](records)

    (sentence,) = repair(records)

    assert sentence.startswith(f"The records of jobs in {records} can't be read: ")
    assert sentence.endswith("has taken their place.")
    assert len(list(records.parent.glob("jobs.db.damaged-*[0-9]"))) == (0 if damage == "gone" else 1)
    store = Store(records)
    ended = store.select("kind = ?", (TRAINING.name,))
    assert [job.body["TrainingJobStatus"] for job in ended] == ["Completed"] * JOBS
    assert store.get(TUNING, "search") is None, "what had not ended then may have ended since"
    assert store.get(TRAINING, "search-001") is None
    assert store.posted(9) == []
    store.close()
    assert repair(records) == []


def test_damaged_records_without_an_intact_copy_begin_empty(records: Path) -> None:
    cut(records)
    cut(copy_of(records))

    (sentence,) = repair(records)

    assert "There is no copy: runs that ended come back from the bucket" in sentence
    store = Store(records)
    assert store.select("1", ()) == []
    store.close()


def test_intact_records_are_left_alone(records: Path) -> None:
    before = records.read_bytes()

    assert repair(records) == []
    assert repair(records.with_name("none yet.db")) == []
    assert records.read_bytes() == before


def test_the_log_of_a_killed_process_is_kept(records: Path, tmp_path: Path) -> None:
    """On a full disk SQLite couldn't make it again."""
    store = Store(records)
    Ledger(store, endpoint_settings(tmp_path)).create(PROCESSING, {"ProcessingJobName": "later"}, [])
    killed = tmp_path / "a folder 100%? #1"
    killed.mkdir()
    for name in ("jobs.db", "jobs.db-wal"):
        shutil.copyfile(records.with_name(name), killed / name)
    store.close()
    log = (killed / "jobs.db-wal").read_bytes()

    assert repair(killed / "jobs.db") == []

    assert (killed / "jobs.db-wal").read_bytes() == log != b""
    store = Store(killed / "jobs.db")
    assert store.get(PROCESSING, "later")
    store.close()


def test_records_that_the_disk_cant_read_are_not_taken_for_damaged(records: Path) -> None:
    records.unlink()
    records.mkdir()

    with pytest.raises(sqlite3.OperationalError):
        repair(records)

    assert records.is_dir()


def test_the_latest_copy_holds_the_latest_records(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    ledger = Ledger(store, endpoint_settings(tmp_path))
    body: Body = {"ProcessingJobName": "first"}
    ledger.create(PROCESSING, body, [])
    store.take_copy()
    taken = copy_of(tmp_path / "jobs.db").stat().st_ino
    store.take_copy()
    assert copy_of(tmp_path / "jobs.db").stat().st_ino == taken, "nothing was new"
    ledger.change(PROCESSING, "first", lambda body: body.update(ProcessingJobStatus="Completed"))
    store.close()
    (tmp_path / "jobs.db").unlink()

    repair(tmp_path / "jobs.db")

    store = Store(tmp_path / "jobs.db")
    job = store.get(PROCESSING, "first")
    assert job is not None
    assert job.body["ProcessingJobStatus"] == "Completed"
    store.close()
