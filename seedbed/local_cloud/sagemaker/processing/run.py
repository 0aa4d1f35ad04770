"""A processing job, from its inputs to its outputs, in one or several attempts."""

import logging
from dataclasses import dataclass, replace

from ..containers.launcher import ContainerSpec
from ..containers.process import Outcome, Stop
from ..defaults import DAY
from ..errors import REASON_LENGTH, JobFailure
from ..jobs import JobServices, Output, failure_reason, remove_directory
from ..kinds import ENDED, PROCESSING, Body
from ..records.transitions import now
from ..s3.mirror import kept_in_s3
from ..settings import cores, region_of
from .files import ProcessingFiles

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


@dataclass(frozen=True)
class JobEnd:
    """How a processing job ends: its status, the reason, and its containers' messages."""

    status: str
    reason: str = ""
    message: str = ""

    def enter(self, body: Body) -> None:
        """Writes this into the job's record."""
        body.update(ProcessingJobStatus=self.status, ProcessingEndTime=now())
        if self.reason:
            body["FailureReason"] = self.reason[:REASON_LENGTH]
        if self.message:
            body["ExitMessage"] = self.message[:REASON_LENGTH]


class ProcessingRun:
    """One processing job, new or left in progress by an endpoint that crashed."""

    def __init__(self, services: JobServices, name: str, stop: Stop) -> None:
        self._services = services
        self._name = name
        self._stop = stop
        self._disk_retry = services.disk_retry(PROCESSING, name, stop)
        body = services.ledger.find(PROCESSING, name).body
        self._status = body["ProcessingJobStatus"]
        self._image = body["AppSpecification"]["ImageUri"]
        self._files = ProcessingFiles(services, body)
        region = region_of(body["ProcessingJobArn"])
        self._outputs = [Output(services, LOG_GROUP, name, region, host) for host in self._files.cluster.hosts]

    def work(self) -> None:
        """Makes attempts until one doesn't end because of a full disk, then records the job's end.

        If the endpoint shuts down, the job stays in progress.
        """
        if self._status in ENDED:
            return
        end = JobEnd("Stopped")
        while self._status == "InProgress":
            self._disk_retry.begin_attempt()
            end = self._attempt()
            if end.status != "Failed" or not self._disk_retry.should_repeat():
                break
        if self._stop.reason == "shutdown":
            return
        if end.status == "Failed" and self._stop.reason == "stopped":
            end = replace(end, status="Stopped")
        self._disk_retry.until_recorded(lambda: self._services.ledger.change(PROCESSING, self._name, end.enter))

    def _attempt(self) -> JobEnd:
        try:
            self._services.launcher.ready(self._image)
            self._files.prepare(lambda: self._stop.reason is not None)
            return self._end(self._run())
        except JobFailure as failure:
            return JobEnd("Failed", str(failure))
        except Exception as error:
            if self._stop.reason != "shutdown":
                log.exception("The processing job %s failed with an error of the endpoint", self._name)
            return JobEnd("Failed", f"InternalServerError: {error}")
        finally:
            remove_directory(self._files.base)

    def _run(self) -> Outcome:
        begun = {"ProcessingStartTime": now()}
        self._disk_retry.until_recorded(
            lambda: self._services.ledger.change(PROCESSING, self._name, lambda body: body.update(begun))
        )
        specs = [self._spec(index) for index in range(len(self._outputs))]
        with kept_in_s3(self._files.mirrors()):
            return self._services.run(specs, self._outputs, self._disk_retry)

    def _end(self, outcome: Outcome) -> JobEnd:
        """How the job ends as its containers have; uploads what is to be uploaded at its end."""
        message = self._files.message()
        if outcome.ended_by:
            late = "ClientError: the job ran longer than its MaxRuntimeInSeconds"
            return JobEnd("Stopped", late if outcome.ended_by == "timeout" else "", message)
        if outcome.exit_code:
            own, output = self._files.message_of(outcome.host), self._outputs[outcome.host]
            note = output.moved_note(self._image, own)
            host = self._files.cluster.hosts[outcome.host].name if len(self._outputs) > 1 else ""
            return JobEnd("Failed", failure_reason(own, outcome.exit_code, output.tail(), note, host), message)
        self._files.upload(self._disk_retry, self._outputs[0].on_left_out)
        return JobEnd("Completed", message=message)

    def _spec(self, index: int) -> ContainerSpec:
        """What runs on one host. The hosts share the machine's processor cores."""
        body, files, host = self._files.body, self._files, self._files.cluster.hosts[index]
        return ContainerSpec(
            name=f"{files.base.name}-{host.name}",
            image_uri=self._image,
            specification=body["AppSpecification"],
            arguments=[],
            environment={
                **body.get("Environment", {}),
                "PROCESSING_JOB_ARN": body["ProcessingJobArn"],
                "PROCESSING_JOB_NAME": self._name,
            },
            base=files.bases[index],
            log_path=self._services.settings.log_path(PROCESSING, self._name, host.number),
            threads=max(1, cores() // len(files.bases)),
            seconds=body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY),
            cluster=files.cluster.seen_by(host),
        )
