"""What is looked after while the endpoint is up: jobs in progress without a thread, and the copy of the records."""

import logging
import threading
import time
from collections.abc import Callable

from .disk import Disk
from .jobs import Running
from .kinds import ENDED, PROCESSING, TRAINING, TUNING, Kind
from .records.store import Job, Store

log = logging.getLogger(__name__)

INTERVAL = 1.0
PATIENCE = 3
COPY_SECONDS = 60.0


class Keeper:
    """Looks about once a second, while the disk has room. `take_up` begins a recorded job again, as at a start."""

    def __init__(self, store: Store, running: Running, disk: Disk, take_up: Callable[[Kind, Job], None]) -> None:
        self._store = store
        self._running = running
        self._disk = disk
        self._take_up = take_up
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
                    self.look()
                    self._copy()
            except Exception:
                log.exception("The jobs in progress could not be looked at; that is tried again")

    def _copy(self) -> None:
        if time.monotonic() - self._copied >= COPY_SECONDS:
            self._store.take_copy()
            self._copied = time.monotonic()

    def look(self) -> None:
        """Take up what has no thread."""
        for kind in (PROCESSING, TUNING):
            for job in self._without_thread(kind):
                if kind is PROCESSING or not self._children_run(job):
                    log.warning("%s has no thread any more and is taken up again", job.body[kind.name_field])
                    self._take_up(kind, job)
        missing = self._without_thread(TRAINING)
        for job in missing:
            if job.parent is None:
                self._take_up(TRAINING, job)
        self._look_after_trials([job for job in missing if job.parent is not None])

    def _without_thread(self, kind: Kind) -> list[Job]:
        """A job whose thread has just ended is read after that, and has its last state then."""
        names = [job.body[kind.name_field] for job in self._store.in_progress(kind)]
        missing = [name for name in names if not self._running.has(kind, name)]
        jobs = [self._store.get(kind, name) for name in missing]
        return [job for job in jobs if job is not None and job.body[kind.status_field] not in ENDED]

    def _children_run(self, tuning_job: Job) -> bool:
        """Whether threads of its trials run without it: they are ended first, as they have nobody to tell."""
        names = [job.body["TrainingJobName"] for job in self._store.children(tuning_job.body[TUNING.name_field])]
        running = [name for name in names if self._running.has(TRAINING, name)]
        for name in running:
            self._running.ask_stop(TRAINING, name, "shutdown")
        return bool(running)

    def _look_after_trials(self, missing: list[Job]) -> None:
        """A trial without a thread, and not just because it is about to get one, has its tuning job begin again."""
        self._missed = {
            job.body["TrainingJobName"]: self._missed.get(job.body["TrainingJobName"], 0) + 1 for job in missing
        }
        for job in missing:
            if self._missed[job.body["TrainingJobName"]] >= PATIENCE:
                self._running.ask_stop(TUNING, job.parent or "", "shutdown")
