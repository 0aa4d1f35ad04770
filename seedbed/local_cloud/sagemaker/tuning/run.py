"""The loop of one tuning job: ask the search, start training jobs, tell it how they did, until all are done."""

import contextlib
import logging
import queue
import sqlite3
from functools import partial

from ..containers.process import Stop
from ..errors import REASON_LENGTH, Invalid
from ..full_disk import passes
from ..jobs import Workshop
from ..kinds import ENDED, TRAINING, TUNING, Body
from ..records.store import Job
from ..records.transitions import now
from ..settings import cores
from ..training.operations import TrainingJobs
from . import warm_start
from .definitions import maximizes, read_definitions
from .limits import Limits
from .trial import Branch, Trial, branches, child_name, objective_of

log = logging.getLogger(__name__)

Result = tuple[Trial, Body, list[float]]


class TuningRun:
    """One tuning job from its record on: new, or left in progress by an endpoint that died."""

    def __init__(self, shop: Workshop, training_jobs: TrainingJobs, name: str, stop: Stop) -> None:
        self._shop = shop
        self._training_jobs = training_jobs
        self._name = name
        self._stop = stop
        job = shop.ledger.find(TUNING, name)
        self._body = job.body
        config = self._body["HyperParameterTuningJobConfig"]
        self._maximize = maximizes(self._body)
        self._limits = Limits.read(config, self._body["CreationTime"])
        self._branches = branches(read_definitions(self._body), config, job.private["seed"])
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._running: dict[int, Trial] = {}
        self._launched = 0
        self._objectives: list[float | None] = []
        self._last_failure = ""
        self._closing = ""
        self._room = shop.room(TUNING, name, stop)

    def work(self) -> None:
        """Blocks until the tuning job has ended or the endpoint shuts down."""
        try:
            self._stop.when_asked(lambda: self._results.put(None))
            status = self._shop.ledger.find(TUNING, self._name).body["HyperParameterTuningJobStatus"]
            if status in ENDED:
                return
            if status == "Stopping":
                self._close("Stopped")
            for prior in warm_start.priors(self._body, self._shop.ledger.store):
                self._branches[0].search.add_prior(*prior)
            self._resume()
            self._loop()
        except Exception as error:
            if self._stop.reason == "shutdown":
                return
            if isinstance(error, sqlite3.OperationalError) and passes(error):
                log.warning("The tuning job %s is taken up again once its records can be read: %s", self._name, error)
                return
            log.exception("The tuning job %s ended in an error of the endpoint's own", self._name)
            for trial in self._running.values():
                self._ask(trial.name, "stopped")
            self._finish("Failed", f"InternalServerError: {error}")

    def _loop(self) -> None:
        while True:
            while self._may_launch() and (branch := self._next_branch()):
                self._launch(branch)
            if not self._running:
                self._finish(*self._verdict())
                return
            try:
                result = self._results.get(timeout=None if self._closing else self._limits.seconds_left())
            except queue.Empty:
                self._close("Completed")
                continue
            if self._stop.reason == "shutdown":
                return
            if result is None:
                self._close("Stopped")
            else:
                self._take(*result)

    def _may_launch(self) -> bool:
        limits = self._limits
        return not self._closing and self._launched < limits.jobs and len(self._running) < limits.parallel

    def _next_branch(self) -> Branch | None:
        """The definition that has had the fewest training jobs, of those with something left to try."""
        open_ones = [branch for branch in self._branches if not branch.search.exhausted]
        return min(open_ones, key=lambda branch: branch.jobs, default=None)

    def _launch(self, branch: Branch) -> None:
        number, place = self._launched + 1, branch.jobs + 1
        tuned = branch.search.ask(place)
        body = {
            **branch.definition.training_job(child_name(self._body, number), tuned),
            "TuningJobArn": self._body["HyperParameterTuningJobArn"],
        }
        tags = self._shop.ledger.store.tags(self._body["HyperParameterTuningJobArn"])
        private = {"tuned": tuned, "tuning_job": self._name, "definition": branch.definition.name}
        create = self._shop.ledger.create
        self._room.until_kept(lambda: create(TRAINING, body, tags, self._name, number, **private))
        self._start(self._trial(branch, number, body["TrainingJobName"]))

    def _trial(self, branch: Branch, number: int, name: str) -> Trial:
        """The next trial of a branch: new, or recorded already."""
        branch.jobs += 1
        self._launched = number
        threads = max(1, cores() // min(self._limits.parallel, self._limits.jobs))
        store = self._shop.ledger.store
        return Trial(branch, number, branch.jobs, name, store, self._stop_early, self._ended, threads, self._name)

    def _start(self, trial: Trial) -> None:
        self._running[trial.number] = trial
        self._training_jobs.start(trial.name, trial)

    def _stop_early(self, name: str) -> None:
        self._ask(name, "early")

    def _ended(self, trial: Trial, body: Body, series: list[float]) -> None:
        self._results.put((trial, body, series))

    def _ask(self, name: str, reason: str) -> None:
        with contextlib.suppress(Invalid, sqlite3.OperationalError):  # it has just ended, or the disk is full
            self._shop.ledger.begin_stop(TRAINING, name)
        self._shop.running.ask_stop(TRAINING, name, reason)

    def _take(self, trial: Trial, body: Body, series: list[float]) -> None:
        """A training job has ended."""
        self._running.pop(trial.number, None)
        objective = objective_of(body, series)
        self._objectives.append(objective)
        self._last_failure = body.get("FailureReason", self._last_failure)
        if trial.branch.rule is not None:
            trial.branch.rule.ended(trial.place, series)
        trial.branch.search.tell(trial.place, objective)
        if not self._closing and self._limits.reached(self._objectives, self._maximize):
            self._close("Completed")

    def _close(self, status: str) -> None:
        """Nothing new is started from here on, and what runs is told to stop. Being stopped outranks being complete."""
        if not self._closing or status == "Stopped":
            self._closing = status
        for trial in list(self._running.values()):
            self._ask(trial.name, "stopped")

    def _verdict(self) -> tuple[str, str]:
        if self._closing == "Stopped" or any(value is not None for value in self._objectives):
            return self._closing or "Completed", ""
        if self._last_failure:
            return "Failed", f"All training jobs failed. The last one said: {self._last_failure}"
        metrics = " or ".join(sorted({f"'{branch.definition.metric}'" for branch in self._branches}))
        return "Failed", f"No training job reported the objective metric {metrics}. Check its regular expression."

    def _finish(self, status: str, reason: str) -> None:
        def end(body: Body) -> None:
            body.update(HyperParameterTuningJobStatus=status, HyperParameterTuningEndTime=now())
            if reason:
                body["FailureReason"] = reason[:REASON_LENGTH]

        self._room.until_kept(lambda: self._shop.ledger.change(TUNING, self._name, end))

    def _resume(self) -> None:
        """Takes up the training jobs of before the endpoint's last start; those that had not ended run again."""
        by_name = {branch.definition.name: branch for branch in self._branches}
        left: list[tuple[Trial, Job]] = []
        for job in self._shop.ledger.store.children(self._name):
            trial = self._trial(by_name[job.private["definition"]], job.number or 0, job.body["TrainingJobName"])
            trial.branch.search.resume(trial.place, job.private["tuned"])
            left.append((trial, job))
        ended = [item for item in left if item[1].body["TrainingJobStatus"] in ENDED]
        for trial, job in sorted(ended, key=lambda item: float(item[1].body["TrainingEndTime"])):
            self._take(trial, job.body, job.private.get("series", []))
        for trial, job in left:
            status = job.body["TrainingJobStatus"]
            if status == "InProgress" and not self._closing:
                self._start(trial)
            elif status not in ENDED:
                series = job.private.get("series", [])
                self._take(trial, self._room.until_kept(partial(self._end_stopped, trial, series)), series)

    def _end_stopped(self, trial: Trial, series: list[float]) -> Body:
        with self._shop.ledger.store.transaction():
            body = self._training_jobs.end_stopped(trial.name)
            trial.record(body, series)
        return body
