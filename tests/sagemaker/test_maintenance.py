"""Jobs in progress without a thread are resumed; those with one are left alone."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.local_cloud.sagemaker.containers.process import Stop
from seedbed.local_cloud.sagemaker.disk import Disk
from seedbed.local_cloud.sagemaker.jobs import JobThreads
from seedbed.local_cloud.sagemaker.kinds import PROCESSING, TRAINING, TUNING, Kind
from seedbed.local_cloud.sagemaker.maintenance import MISSES, Maintenance
from seedbed.local_cloud.sagemaker.records.ledger import Ledger
from seedbed.local_cloud.sagemaker.records.store import Store
from tests import waiting
from tests.sagemaker.settings import endpoint_settings


class Bench:
    """A store with jobs, the threads of some of them, and the names of the resumed jobs."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "jobs.db")
        self.ledger = Ledger(self.store, endpoint_settings(folder))
        self.job_threads = JobThreads()
        self.taken: list[str] = []
        self.maintenance = Maintenance(
            self.store, self.job_threads, Disk(folder), lambda kind, job: self.taken.append(job.body[kind.name_field])
        )

    def job(self, kind: Kind, name: str, parent: str | None = None) -> None:
        self.ledger.create(kind, {kind.name_field: name}, [], parent)

    def thread(self, kind: Kind, name: str) -> Stop:
        """Gives the job a thread that ends when its stop is requested."""

        def work(stop: Stop) -> None:
            asked = threading.Event()
            stop.on_request(asked.set)
            asked.wait(waiting.PATIENCE)

        return self.job_threads.start(kind, name, work)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.job_threads.shutdown(waiting.PATIENCE)
    bench.store.close()


def test_a_job_without_a_thread_is_resumed(bench: Bench) -> None:
    for kind, name in ((PROCESSING, "pack"), (TRAINING, "alone"), (TUNING, "search")):
        bench.job(kind, name)
        bench.job(kind, f"{name}-running")
        bench.thread(kind, f"{name}-running")
        bench.job(kind, f"{name}-ended")
        bench.ledger.change(kind, f"{name}-ended", lambda body, kind=kind: body.update({kind.status_field: "Failed"}))  # type: ignore[misc]

    bench.maintenance.check()

    assert sorted(bench.taken) == ["alone", "pack", "search"]


def test_a_tuning_job_is_resumed_once_none_of_its_trials_runs(bench: Bench) -> None:
    bench.job(TUNING, "search")
    bench.job(TRAINING, "search-001", "search")
    stop = bench.thread(TRAINING, "search-001")

    bench.maintenance.check()
    assert (bench.taken, stop.reason) == ([], "shutdown")
    bench.job_threads.shutdown(waiting.PATIENCE)
    bench.maintenance.check()

    assert bench.taken == ["search"]


def test_a_trial_that_lost_its_thread_restarts_its_tuning_job(bench: Bench) -> None:
    bench.job(TUNING, "search")
    stop = bench.thread(TUNING, "search")
    bench.job(TRAINING, "search-001", "search")

    for _ in range(MISSES - 1):
        bench.maintenance.check()
    assert not asked(stop), "it may be about to get its thread"
    bench.maintenance.check()

    assert bench.taken == []
    assert asked(stop) == "shutdown"


def asked(stop: Stop) -> str | None:
    return stop.reason


def test_a_job_has_at_most_one_thread(bench: Bench) -> None:
    bench.job(PROCESSING, "pack")
    first = bench.thread(PROCESSING, "pack")

    assert bench.thread(PROCESSING, "pack") is first
