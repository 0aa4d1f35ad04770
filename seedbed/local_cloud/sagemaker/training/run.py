"""A training job, from its inputs to its artifacts, in one or several attempts."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..containers.process import Outcome, Stop
from ..errors import JobFailure
from ..jobs import JobServices, remove_directory
from ..kinds import ENDED, TRAINING, Body
from ..records.transitions import end, enter, now
from ..s3.mirror import kept_in_s3
from ..settings import cores
from .containers import TrainingContainers
from .files import TrainingFiles
from .metrics import OBJECTIVE_METRIC, Metrics
from .spot import Clock

log = logging.getLogger(__name__)


class TrainingListener:
    """Receives a training job's progress; does nothing for a job without a tuning job.

    objective: the objective metric's name. threads: how many the job may use, 0 for one per core.
    """

    objective = ""
    threads = 0
    tuning_job = ""

    def reported(self, series: list[float], stop: Stop) -> None:
        """Called with the objective's values so far, for each new one."""

    def record(self, body: Body, series: list[float]) -> None:
        """Called within the transaction that records the job's last state."""

    def ended(self, body: Body, series: list[float]) -> None:
        """Called with the job's last state, once that is on disk."""


class TrainingRun:
    """One training job, new or left in progress by an endpoint that crashed."""

    def __init__(self, services: JobServices, name: str, listener: TrainingListener, stop: Stop) -> None:
        self._services = services
        self._name = name
        self._listener = listener
        self._stop = stop
        job = services.ledger.find(TRAINING, name)
        self._body = job.body
        self._files = TrainingFiles(services, job.body, self._say_left_out)
        self._metrics = Metrics(
            item
            for item in job.body["AlgorithmSpecification"].get("MetricDefinitions", [])
            if listener.objective in ("", item["Name"]) or item["Name"] != OBJECTIVE_METRIC
        )
        self._clock = Clock.of(job.body, job.private.get("seconds_used", 0.0))
        self._retries = job.body.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0) - job.private.get("retries", 0)
        self._containers = TrainingContainers(services, self._files, self._metrics, self._found)
        self._disk_retry = services.disk_retry(TRAINING, name, stop, listener.tuning_job)

    def work(self) -> None:
        """Blocks until the job has ended or the endpoint shuts down."""
        if self._body["TrainingJobStatus"] in ENDED:
            return
        try:
            if self._body["TrainingJobStatus"] == "Stopping":
                self._stop.request("stopped")
            if "TrainingStartTime" in self._body:
                self._enter("Restarting")
            while not self._attempt():
                self._enter("Starting")
        except Exception as error:
            log.exception("The training job %s failed with an error of the endpoint", self._name)
            self._finish("Failed", "Failed", f"InternalServerError: {error}")
        finally:
            remove_directory(self._files.base)

    def _attempt(self) -> bool:
        """Runs the job on one instance; False if it needs another attempt."""
        self._disk_retry.begin_attempt()
        try:
            return self._end_attempt(self._run())
        except JobFailure as failure:
            if self._disk_has_space_again():
                return False
            stopped = self._stop.reason in ("stopped", "early")
            self._finish(*(("Stopped", "Stopped") if stopped else ("Failed", "Failed", str(failure))))
            return True
        except Exception:
            if self._stop.reason == "shutdown":
                return True
            if not self._disk_has_space_again() and not self._may_retry():
                raise
            return False

    def _end_attempt(self, outcome: Outcome) -> bool:
        """Ends the job as its container ended; False if it needs another attempt."""
        if outcome.ended_by == "interrupted":
            return self._wait_for_capacity()
        if outcome.exit_code and not outcome.ended_by and self._disk_has_space_again():
            return False
        if self._stop.reason != "shutdown":
            self._conclude(replace(outcome, ended_by=outcome.ended_by or self._stop.reason))
        return True

    def _may_retry(self) -> bool:
        """Whether the job's RetryStrategy allows another attempt after an error of the endpoint."""
        if self._retries < 1:
            return False
        log.exception("The training job %s is run again after an error of the endpoint", self._name)
        self._retries -= 1
        tried = self._body["RetryStrategy"]["MaximumRetryAttempts"] - self._retries
        self._remember(retries=tried, seconds_used=self._clock.pause())
        return True

    def _disk_has_space_again(self) -> bool:
        """Whether the attempt failed because the disk was full, and there is space now."""
        repeat = self._disk_retry.should_repeat(lambda: remove_directory(self._files.base))
        if repeat:
            self._clock.discard()
        return repeat

    def _run(self) -> Outcome:
        self._services.launcher.ready(self._body["AlgorithmSpecification"]["TrainingImage"])
        self._clock.start()
        self._enter("Downloading", first={"TrainingStartTime": now()})
        self._files.prepare(self._stop_requested)
        mirrors = self._files.restore_checkpoints(self._stop_requested)
        self._enter("Training")
        with kept_in_s3(mirrors):
            seconds = self._clock.seconds_to_run()
            return self._containers.run(self._listener.threads or cores(), seconds, self._disk_retry)

    def _wait_for_capacity(self) -> bool:
        """Waits for another Spot instance; True if the job has ended meanwhile."""
        self._enter("Interrupted")
        self._remember(seconds_used=self._clock.pause())
        self._stop.clear_interruption()
        back = self._services.ledger.find(TRAINING, self._name).private.get("capacity_at", 0.0)
        self._stop.wait(min(back - time.monotonic(), self._clock.seconds_to_wait()))
        if self._clock.waited_too_long():
            self._finish("Stopped", "MaxWaitTimeExceeded")
        elif self._stop.reason is not None:
            self._finish("Stopped", "Stopped")
        else:
            return False
        return True

    def _conclude(self, outcome: Outcome) -> None:
        """Uploads what the container left, and ends the job."""
        failed = outcome.exit_code != 0 and not outcome.ended_by
        if outcome.ended_by == "timeout":
            self._enter("Stopping")
        if not failed:
            self._enter("Uploading")
            if not outcome.ended_by or self._files.has_model():
                uri = self._disk_retry.until_done(self._files.upload_model)
                self._change(lambda body: body.update(ModelArtifacts={"S3ModelArtifacts": uri}))
        self._disk_retry.until_done(self._files.upload_output)
        if failed:
            self._finish("Failed", "Failed", self._containers.failure(outcome, self._metrics_problem()))
        elif outcome.ended_by == "timeout":
            waited = self._clock.waited_too_long()
            self._finish("Stopped", "MaxWaitTimeExceeded" if waited else "MaxRuntimeExceeded")
        elif outcome.ended_by:
            self._finish("Stopped", "Stopped")
        else:
            self._finish("Completed", "Completed")

    def _found(self, metrics: set[str]) -> None:
        if self._listener.objective in metrics:
            self._listener.reported(self._metrics.series(self._listener.objective), self._stop)

    def _metrics_problem(self) -> str:
        """Why the objective metric, or without a tuning job any metric, has no value although it matched."""
        return self._metrics.problem(only=self._listener.objective)

    def _say_left_out(self, sentences: Sequence[str]) -> None:
        self._containers.outputs[0].on_left_out(sentences)

    def _stop_requested(self) -> bool:
        return self._stop.reason is not None

    def _enter(self, secondary: str, first: Body | None = None) -> None:
        """Enters a secondary status. first: fields that are set by the first attempt since the endpoint's start."""

        def change(body: Body) -> None:
            if secondary == "Restarting":
                body.pop("TrainingStartTime")
            body.update({field: value for field, value in (first or {}).items() if field not in body})
            if body["TrainingJobStatus"] == "InProgress" or secondary == "Uploading":
                enter(body, secondary)

        self._change(change)

    def _change(self, change: Callable[[Body], Any]) -> None:
        self._disk_retry.until_recorded(lambda: self._services.ledger.change(TRAINING, self._name, change))

    def _remember(self, **private: Any) -> None:
        self._disk_retry.until_recorded(lambda: self._services.ledger.store.remember(TRAINING, self._name, **private))

    def _finish(self, status: str, secondary: str, reason: str = "") -> None:
        if self._stop.reason == "shutdown":
            return
        remove_directory(self._files.base)  # everything is uploaded; the record may need the space
        metrics, reason = self._metrics.final(), reason or self._metrics_problem()
        objective = {metric["MetricName"]: metric for metric in metrics}.get(self._listener.objective)
        if objective is not None and self._listener.objective != OBJECTIVE_METRIC:
            metrics.append({**objective, "MetricName": OBJECTIVE_METRIC})

        def change(body: Body) -> None:
            if metrics:
                body["FinalMetricDataList"] = metrics
            end(body, status, secondary, reason, self._clock.seconds_used())

        series = self._metrics.series(self._listener.objective)

        def write() -> Body:
            with self._services.ledger.store.transaction():
                body = self._services.ledger.change(TRAINING, self._name, change)
                self._services.ledger.store.remember(TRAINING, self._name, statistics=self._metrics.statistics())
                self._listener.record(body, series)
            return body

        self._listener.ended(self._disk_retry.until_recorded(write), series)
