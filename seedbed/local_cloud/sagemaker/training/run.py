"""A training job itself, from its inputs to its artifacts, in as many attempts as it takes."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..containers.launcher import Job
from ..containers.process import Outcome, Stop
from ..errors import JobFailure
from ..jobs import Output, Workshop, failure_reason, remove_directory
from ..kinds import ENDED, TRAINING, Body
from ..records.transitions import end, enter, now
from ..s3.mirror import kept_in_s3
from ..settings import cores
from .files import TrainingFiles
from .metrics import MeasuredOutput, Metrics
from .spot import Clock

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class Watcher:
    """What a tuning job does with its training job; for one that stands alone, nothing."""

    objective = ""
    threads = 0

    tuning_job = ""

    def reported(self, series: list[float], stop: Stop) -> None:
        """The objective's values so far, whenever there is a new one."""

    def record(self, body: Body, series: list[float]) -> None:
        """Keeps what came of the job, within the transaction that records its last state."""

    def ended(self, body: Body, series: list[float]) -> None:
        """The job's last state, once that is on disk."""


class TrainingRun:
    """One training job, new or left in progress by an endpoint that died."""

    def __init__(self, shop: Workshop, name: str, watcher: Watcher, stop: Stop) -> None:
        self._shop = shop
        self._name = name
        self._watcher = watcher
        self._stop = stop
        job = shop.ledger.find(TRAINING, name)
        self._body = job.body
        self._files = TrainingFiles(shop, job.body)
        self._metrics = Metrics(job.body["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._clock = Clock.of(job.body, job.private.get("seconds_used", 0.0))
        self._retries = job.body.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0) - job.private.get("retries", 0)
        self._output = Output(shop, LOG_GROUP, name)
        self._room = shop.room(TRAINING, name, stop, watcher.tuning_job)

    def work(self) -> None:
        """Blocks until the job has ended or the endpoint shuts down."""
        if self._body["TrainingJobStatus"] in ENDED:
            return
        try:
            if self._body["TrainingJobStatus"] == "Stopping":
                self._stop.ask("stopped")
            if "TrainingStartTime" in self._body:
                self._enter("Restarting")
            while not self._attempt():
                self._enter("Starting")
        except Exception as error:
            log.exception("The training job %s ended in an error of the endpoint's own", self._name)
            self._finish("Failed", "Failed", f"InternalServerError: {error}")
        finally:
            remove_directory(self._files.base)

    def _attempt(self) -> bool:
        """One instance's worth of the job; False where another is to try."""
        self._room.begin()
        try:
            return self._take(self._run())
        except JobFailure as failure:
            if self._has_room_again():
                return False
            stopped = self._stop.reason in ("stopped", "early")
            self._finish(*(("Stopped", "Stopped") if stopped else ("Failed", "Failed", str(failure))))
            return True
        except Exception:
            if self._stop.reason == "shutdown":
                return True
            if not self._has_room_again() and not self._may_try_again():
                raise
            return False

    def _take(self, outcome: Outcome) -> bool:
        """How the container ended decides how the job does; False where another attempt is to be made."""
        if outcome.ended_by == "interrupted":
            return self._wait_for_capacity()
        if outcome.exit_code and not outcome.ended_by and self._has_room_again():
            return False
        if self._stop.reason != "shutdown":
            self._conclude(replace(outcome, ended_by=outcome.ended_by or self._stop.reason))
        return True

    def _may_try_again(self) -> bool:
        """Whether the job allows another attempt after an error of the endpoint's own."""
        if self._retries < 1:
            return False
        log.exception("The training job %s is tried again after an error of the endpoint's own", self._name)
        self._retries -= 1
        tried = self._body["RetryStrategy"]["MaximumRetryAttempts"] - self._retries
        self._remember(retries=tried, seconds_used=self._clock.pause())
        return True

    def _has_room_again(self) -> bool:
        """Whether the attempt failed for want of room on the disk, and there is some now."""
        came_back = self._room.came_back(lambda: remove_directory(self._files.base))
        if came_back:
            self._clock.forget()
        return came_back

    def _run(self) -> Outcome:
        self._shop.containers.ready(self._body["AlgorithmSpecification"]["TrainingImage"])
        self._clock.start()
        self._enter("Downloading", first={"TrainingStartTime": now()})
        self._files.prepare(self._is_asked)
        mirrors = self._files.restore_checkpoints(self._is_asked)
        self._enter("Training")
        with kept_in_s3(mirrors):
            return self._train()

    def _wait_for_capacity(self) -> bool:
        """A Spot instance was taken away. True where the job has ended instead of going on with another."""
        self._enter("Interrupted")
        self._remember(seconds_used=self._clock.pause())
        self._stop.forget_interruption()
        back = self._shop.ledger.find(TRAINING, self._name).private.get("capacity_at", 0.0)
        self._stop.wait(min(back - time.monotonic(), self._clock.seconds_to_wait()))
        if self._clock.waited_too_long():
            self._finish("Stopped", "MaxWaitTimeExceeded")
        elif self._stop.reason is not None:
            self._finish("Stopped", "Stopped")
        else:
            return False
        return True

    def _conclude(self, outcome: Outcome) -> None:
        """The container has ended: what it left goes to S3."""
        failed = outcome.exit_code != 0 and not outcome.ended_by
        if not failed:
            self._enter("Uploading")
            if not outcome.ended_by or self._files.has_model():
                uri = self._room.again(self._files.upload_model)
                self._change(lambda body: body.update(ModelArtifacts={"S3ModelArtifacts": uri}))
        self._room.again(self._files.upload_output)
        if failed:
            reason = failure_reason(self._files.failure(), outcome.exit_code, list(self._output.tail))
            self._finish("Failed", "Failed", reason)
        elif outcome.ended_by == "timeout":
            waited = self._clock.waited_too_long()
            self._finish("Stopped", "MaxWaitTimeExceeded" if waited else "MaxRuntimeExceeded")
        elif outcome.ended_by:
            self._finish("Stopped", "Stopped")
        else:
            self._finish("Completed", "Completed")

    def _train(self) -> Outcome:
        shop, body = self._shop, self._body
        specification = body["AlgorithmSpecification"]
        job = Job(
            self._files.base.name,
            specification["TrainingImage"],
            specification,
            ["train"],
            {
                **body.get("Environment", {}),
                "TRAINING_JOB_NAME": self._name,
                "TRAINING_JOB_ARN": body["TrainingJobArn"],
            },
            self._files.base,
            shop.settings.log_path(TRAINING, self._name),
            self._watcher.threads or cores(),
            self._clock.seconds_to_run(),
        )
        self._output = MeasuredOutput(shop, LOG_GROUP, self._name, self._metrics, self._found)
        return shop.run(shop.containers.launch(job), self._output.heard, self._room)

    def _found(self, metrics: set[str]) -> None:
        if self._watcher.objective in metrics:
            self._watcher.reported(self._metrics.series(self._watcher.objective), self._stop)

    def _is_asked(self) -> bool:
        return self._stop.reason is not None

    def _enter(self, secondary: str, first: Body | None = None) -> None:
        """Moves on. `first` holds what is kept from the first attempt, unless the endpoint itself has died since."""

        def change(body: Body) -> None:
            if secondary == "Restarting":
                body.pop("TrainingStartTime")
            body.update({field: value for field, value in (first or {}).items() if field not in body})
            if body["TrainingJobStatus"] == "InProgress":
                enter(body, secondary)

        self._change(change)

    def _change(self, change: Callable[[Body], Any]) -> None:
        self._room.until_kept(lambda: self._shop.ledger.change(TRAINING, self._name, change))

    def _remember(self, **private: Any) -> None:
        self._room.until_kept(lambda: self._shop.ledger.store.remember(TRAINING, self._name, **private))

    def _finish(self, status: str, secondary: str, reason: str = "") -> None:
        if self._stop.reason == "shutdown":
            return
        remove_directory(self._files.base)  # all of it was read; the record may need the room
        metrics = self._metrics.final()
        objective = [metric for metric in metrics if metric["MetricName"] == self._watcher.objective]
        metrics += [{**metric, "MetricName": "ObjectiveMetric"} for metric in objective]

        def change(body: Body) -> None:
            if metrics:
                body["FinalMetricDataList"] = metrics
            end(body, status, secondary, reason, self._clock.seconds_used())

        series = self._metrics.series(self._watcher.objective)

        def write() -> Body:
            with self._shop.ledger.store.transaction():
                body = self._shop.ledger.change(TRAINING, self._name, change)
                self._watcher.record(body, series)
            return body

        self._watcher.ended(self._room.until_kept(write), series)
