"""Upkeep while the endpoint runs: jobs in progress without a thread are resumed, and the records are copied."""

import logging
import threading
import time
from collections.abc import Callable

from .disk import Disk
from .jobs import JobThreads
from .kinds import ENDED, PROCESSING, TRAINING, TRANSFORM, TUNING, Kind
from .records.store import JobRecord, Store

log = logging.getLogger(__name__)

INTERVAL = 1.0
MISSES = 3
COPY_SECONDS = 60.0


class Maintenance:
    """A thread that checks about once a second while the disk has space. resume: runs a recorded job, as at a start."""

    def __init__(
        self, store: Store, job_threads: JobThreads, disk: Disk, resume: Callable[[Kind, JobRecord], None]
    ) -> None:
        self._store = store
        self._job_threads = job_threads
        self._disk = disk
        self._resume = resume
        self._closing = threading.Event()
        self._missed: dict[str, int] = {}
        self._copied = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="sagemaker-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _work(self) -> None:
        while not self._closing.wait(INTERVAL):
            try:
                if not self._disk.is_short():
                    self.check()
                    self._copy()
            except Exception:
                log.exception("The jobs in progress could not be checked; this is repeated")

    def _copy(self) -> None:
        if time.monotonic() - self._copied >= COPY_SECONDS:
            self._store.take_copy()
            self._copied = time.monotonic()

    def check(self) -> None:
        """Resumes the jobs in progress that have no thread."""
        for kind in (PROCESSING, TRANSFORM, TUNING):
            for job in self._without_thread(kind):
                if kind is not TUNING or not self._children_run(job):
                    log.warning("%s has no thread any more and is resumed", job.body[kind.name_field])
                    self._resume(kind, job)
        missing = self._without_thread(TRAINING)
        for job in missing:
            if job.parent is None:
                self._resume(TRAINING, job)
        self._check_trials([job for job in missing if job.parent is not None])

    def _without_thread(self, kind: Kind) -> list[JobRecord]:
        """The jobs of a kind that are in progress and have no thread.

        The records are read after the threads: a job whose thread has just ended has its last state by then.
        """
        names = [job.body[kind.name_field] for job in self._store.in_progress(kind)]
        missing = [name for name in names if not self._job_threads.has(kind, name)]
        jobs = [self._store.get(kind, name) for name in missing]
        return [job for job in jobs if job is not None and job.body[kind.status_field] not in ENDED]

    def _children_run(self, tuning_job: JobRecord) -> bool:
        """Whether trials run without their tuning job's thread; they are stopped, as nothing receives their results."""
        names = [job.body["TrainingJobName"] for job in self._store.children(tuning_job.body[TUNING.name_field])]
        running = [name for name in names if self._job_threads.has(TRAINING, name)]
        for name in running:
            self._job_threads.request_stop(TRAINING, name, "shutdown")
        return bool(running)

    def _check_trials(self, missing: list[JobRecord]) -> None:
        """Restarts the tuning job of a trial that had no thread several times in a row: it isn't about to get one."""
        self._missed = {
            job.body["TrainingJobName"]: self._missed.get(job.body["TrainingJobName"], 0) + 1 for job in missing
        }
        for job in missing:
            if self._missed[job.body["TrainingJobName"]] >= MISSES:
                self._job_threads.request_stop(TUNING, job.parent or "", "shutdown")
