"""The loop of one tuning job: it starts training jobs with the search's choices and returns their results to it."""

import contextlib
import logging
import queue
import sqlite3
from functools import partial

from .. import defaults
from ..containers.process import Stop
from ..errors import REASON_LENGTH, Invalid
from ..full_disk import is_temporary
from ..jobs import JobServices
from ..kinds import ENDED, TRAINING, TUNING, Body
from ..records.store import JobRecord
from ..records.transitions import now
from ..settings import cores, region_of
from ..training.operations import TrainingJobs
from . import warm_start
from .definitions import maximizes, read_definitions
from .limits import Limits
from .trial import DefinitionState, Trial, child_name, definition_states, objective_of

log = logging.getLogger(__name__)

Result = tuple[Trial, Body, list[float]]


class TuningRun:
    """One tuning job, new or left in progress by an endpoint that crashed."""

    def __init__(self, services: JobServices, training_jobs: TrainingJobs, name: str, stop: Stop) -> None:
        self._services = services
        self._training_jobs = training_jobs
        self._name = name
        self._stop = stop
        job = services.ledger.find(TUNING, name)
        self._body = job.body
        config = self._body["HyperParameterTuningJobConfig"]
        self._maximize = maximizes(self._body)
        self._limits = Limits.read(config, self._body["CreationTime"])
        self._states = definition_states(read_definitions(self._body), config, job.private["seed"])
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._running: dict[int, Trial] = {}
        self._launched = 0
        self._objectives: list[float | None] = []
        self._last_failure = self._last_problem = ""
        self._closing = ""
        self._disk_retry = services.disk_retry(TUNING, name, stop)

    def work(self) -> None:
        """Blocks until the tuning job has ended or the endpoint shuts down."""
        try:
            self._stop.on_request(lambda: self._results.put(None))
            status = self._services.ledger.find(TUNING, self._name).body["HyperParameterTuningJobStatus"]
            if status in ENDED:
                return
            if status == "Stopping":
                self._close("Stopped")
            for prior in warm_start.priors(self._body, self._services.ledger.store):
                self._states[0].search.add_prior(*prior)
            self._resume()
            self._loop()
        except Exception as error:
            if self._stop.reason == "shutdown":
                return
            if isinstance(error, sqlite3.OperationalError) and is_temporary(error):
                log.warning("The tuning job %s is resumed once its records can be read: %s", self._name, error)
                return
            log.exception("The tuning job %s failed with an error of the endpoint", self._name)
            for trial in self._running.values():
                self._request_stop(trial.name, "stopped")
            self._finish("Failed", f"InternalServerError: {error}")

    def _loop(self) -> None:
        while True:
            while self._may_launch() and (state := self._next_state()):
                self._launch(state)
            if not self._running:
                self._finish(*self._outcome())
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
                self._record_result(*result)

    def _may_launch(self) -> bool:
        limits = self._limits
        return not self._closing and self._launched < limits.jobs and len(self._running) < limits.parallel

    def _next_state(self) -> DefinitionState | None:
        """The definition with the fewest training jobs, of those whose search isn't exhausted."""
        open_ones = [state for state in self._states if not state.search.exhausted]
        return min(open_ones, key=lambda state: state.jobs, default=None)

    def _launch(self, state: DefinitionState) -> None:
        number, index = self._launched + 1, state.jobs + 1
        tuned = state.search.ask(index)
        body = {
            **state.definition.training_job(child_name(self._body, number), tuned),
            "TuningJobArn": self._body["HyperParameterTuningJobArn"],
        }
        defaults.fill_training_job(body)
        tags = self._services.ledger.store.tags(self._body["HyperParameterTuningJobArn"])
        region = region_of(self._body["HyperParameterTuningJobArn"])
        private = {"tuned": tuned, "tuning_job": self._name, "definition": state.definition.name}
        create = self._services.ledger.create
        self._disk_retry.until_recorded(
            lambda: create(TRAINING, body, tags, self._name, number, region=region, **private)
        )
        self._start(self._trial(state, number, body["TrainingJobName"]))

    def _trial(self, state: DefinitionState, number: int, name: str) -> Trial:
        """The definition's next trial, new or already recorded."""
        state.jobs += 1
        self._launched = number
        threads = max(1, cores() // min(self._limits.parallel, self._limits.jobs))
        return Trial(
            state=state,
            number=number,
            index=state.jobs,
            name=name,
            store=self._services.ledger.store,
            stop=self._stop_early,
            on_end=self._ended,
            threads=threads,
            tuning_job=self._name,
        )

    def _start(self, trial: Trial) -> None:
        self._running[trial.number] = trial
        self._training_jobs.start(trial.name, trial)

    def _stop_early(self, name: str) -> None:
        self._request_stop(name, "early")

    def _ended(self, trial: Trial, body: Body, series: list[float]) -> None:
        self._results.put((trial, body, series))

    def _request_stop(self, name: str, reason: str) -> None:
        with contextlib.suppress(Invalid, sqlite3.OperationalError):  # it has just ended, or the disk is full
            self._services.ledger.begin_stop(TRAINING, name)
        self._services.job_threads.request_stop(TRAINING, name, reason)

    def _record_result(self, trial: Trial, body: Body, series: list[float]) -> None:
        """Takes in the result of a training job that has ended."""
        self._running.pop(trial.number, None)
        objective = objective_of(body, series)
        self._objectives.append(objective)
        if body["TrainingJobStatus"] == "Failed":
            self._last_failure = body.get("FailureReason", self._last_failure)
        else:
            self._last_problem = body.get("FailureReason", self._last_problem)
        if trial.state.rule is not None:
            trial.state.rule.ended(trial.index, series)
        trial.state.search.tell(trial.index, objective)
        if not self._closing and self._limits.reached(self._objectives, self._maximize):
            self._close("Completed")

    def _close(self, status: str) -> None:
        """Starts no more training jobs and stops the running ones. `Stopped` outranks `Completed`."""
        if not self._closing or status == "Stopped":
            self._closing = status
        for trial in list(self._running.values()):
            self._request_stop(trial.name, "stopped")

    def _outcome(self) -> tuple[str, str]:
        if self._closing == "Stopped" or any(value is not None for value in self._objectives):
            return self._closing or "Completed", ""
        if self._last_failure:
            return "Failed", f"All training jobs failed. The last one said: {self._last_failure}"
        metrics = " or ".join(sorted({f"'{state.definition.metric}'" for state in self._states}))
        advice = self._last_problem or "Check its regular expression."
        return "Failed", f"No training job reported the objective metric {metrics}. {advice}"

    def _finish(self, status: str, reason: str) -> None:
        def end(body: Body) -> None:
            body.update(HyperParameterTuningJobStatus=status, HyperParameterTuningEndTime=now())
            if reason:
                body["FailureReason"] = reason[:REASON_LENGTH]

        self._disk_retry.until_recorded(lambda: self._services.ledger.change(TUNING, self._name, end))

    def _resume(self) -> None:
        """Restores the training jobs of before the endpoint's last start; those that had not ended run again."""
        by_name = {state.definition.name: state for state in self._states}
        left: list[tuple[Trial, JobRecord]] = []
        for job in self._services.ledger.store.children(self._name):
            trial = self._trial(by_name[job.private["definition"]], job.number or 0, job.body["TrainingJobName"])
            trial.state.search.resume(trial.index, job.private["tuned"])
            left.append((trial, job))
        ended = [item for item in left if item[1].body["TrainingJobStatus"] in ENDED]
        for trial, job in sorted(ended, key=lambda item: float(item[1].body["TrainingEndTime"])):
            self._record_result(trial, job.body, job.private.get("series", []))
        for trial, job in left:
            status = job.body["TrainingJobStatus"]
            if status == "InProgress" and not self._closing:
                self._start(trial)
            elif status not in ENDED:
                series = job.private.get("series", [])
                self._record_result(
                    trial, self._disk_retry.until_recorded(partial(self._end_stopped, trial, series)), series
                )

    def _end_stopped(self, trial: Trial, series: list[float]) -> Body:
        with self._services.ledger.store.transaction():
            body = self._training_jobs.end_stopped(trial.name)
            trial.record(body, series)
        return body
