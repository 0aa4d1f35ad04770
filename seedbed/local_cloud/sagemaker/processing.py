"""Processing jobs: their operations, and the jobs themselves."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import defaults, tags
from .containers import opt_ml
from .containers.images import folder_of
from .containers.launcher import ContainerSpec
from .containers.process import Outcome, Stop
from .defaults import DAY
from .errors import REASON_LENGTH, Invalid, JobFailure
from .full_disk import DiskRetry
from .jobs import JobServices, Output, failure_reason, fresh_directory, remove_directory
from .kinds import ENDED, PROCESSING, Body
from .records.transitions import now
from .s3.mirror import Mirror, kept_in_s3
from .s3.tree import Tree
from .settings import cores, region_of

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class ProcessingJobs:
    """CreateProcessingJob and StopProcessingJob, and the threads that run the jobs."""

    def __init__(self, services: JobServices) -> None:
        self._services = services

    def create(self, request: Body, region: str) -> Body:
        defaults.fill_processing_job(request)
        check(request, self._services)
        body = self._services.ledger.create(PROCESSING, request, tags.take(request), region=region)
        self.start(body["ProcessingJobName"])
        return {"ProcessingJobArn": body["ProcessingJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["ProcessingJobName"]
        try:
            self._services.ledger.begin_stop(PROCESSING, name)
        finally:
            self._services.job_threads.request_stop(PROCESSING, name)
        return {}

    def start(self, name: str) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._services.job_threads.start(PROCESSING, name, lambda stop: self._work(name, stop))

    def _work(self, name: str, stop: Stop) -> None:
        """Makes attempts until one doesn't end because of a full disk, then records the job's end.

        If the endpoint shuts down, the job stays in progress.
        """
        disk_retry = self._services.disk_retry(PROCESSING, name, stop)
        status = self._services.ledger.find(PROCESSING, name).body["ProcessingJobStatus"]
        if status in ENDED:
            return
        end = JobEnd("Stopped")
        while status == "InProgress":
            disk_retry.begin_attempt()
            end = self._attempt(name, stop, disk_retry)
            if end.status != "Failed" or not disk_retry.should_repeat():
                break
        if stop.reason == "shutdown":
            return
        if end.status == "Failed" and stop.reason == "stopped":
            end = replace(end, status="Stopped")
        disk_retry.until_recorded(lambda: self._services.ledger.change(PROCESSING, name, end.enter))

    def _attempt(self, name: str, stop: Stop, disk_retry: DiskRetry) -> "JobEnd":
        try:
            return self._run(name, stop, disk_retry)
        except JobFailure as failure:
            return JobEnd("Failed", str(failure))
        except Exception as error:
            if stop.reason != "shutdown":
                log.exception("The processing job %s failed with an error of the endpoint", name)
            return JobEnd("Failed", f"InternalServerError: {error}")

    def _run(self, name: str, stop: Stop, disk_retry: DiskRetry) -> "JobEnd":
        body = self._services.ledger.find(PROCESSING, name).body
        base = fresh_directory(self._services.settings.work_dir(PROCESSING, name))
        try:
            self._services.launcher.ready(body["AppSpecification"]["ImageUri"])
            self._prepare(body, base, stop)
            begun = {"ProcessingStartTime": now()}
            disk_retry.until_recorded(
                lambda: self._services.ledger.change(PROCESSING, name, lambda body: body.update(begun))
            )
            output = Output(self._services, LOG_GROUP, name, region_of(body["ProcessingJobArn"]))
            reach = self._services.launcher.reach(body["AppSpecification"]["ImageUri"], base)
            mirrors = [
                Mirror(self._services.transfer, Tree(folder, base, reach), uri)
                for folder, uri in outputs(body, base, "Continuous")
            ]
            with kept_in_s3(mirrors):
                outcome = self._launch(body, base, output, disk_retry)
            message = opt_ml.read_message(base, "output/message")
            if outcome.ended_by:
                reason = (
                    "ClientError: the job ran longer than its MaxRuntimeInSeconds"
                    if outcome.ended_by == "timeout"
                    else ""
                )
                return JobEnd("Stopped", reason, message)
            if outcome.exit_code:
                note = output.moved_note(body["AppSpecification"]["ImageUri"], message)
                return JobEnd("Failed", failure_reason(message, outcome.exit_code, output.tail(), note), message)
            for folder, uri in outputs(body, base, "EndOfJob"):
                tree = Tree(folder, base, reach)
                disk_retry.until_done(partial(self._services.transfer.upload_directory, tree, uri))
                output.on_left_out(tree.left_out)
            return JobEnd("Completed", message=message)
        finally:
            remove_directory(base)

    def _prepare(self, body: Body, base: Path, stop: Stop) -> None:
        opt_ml.write_json(base / "config" / "processingjobconfig.json", body)
        cluster = body["ProcessingResources"]["ClusterConfig"]
        opt_ml.write_resource_config(base / "config", cluster)
        (base / "output").mkdir()
        for directory, _ in outputs(body, base, "Continuous", "EndOfJob"):
            directory.mkdir(parents=True, exist_ok=True)
        for source in inputs(body):
            directory = opt_ml.local_path(source["LocalPath"], base)
            self._services.transfer.download(
                source["S3DataType"], source["S3Uri"], directory, lambda: stop.reason is not None
            )

    def _launch(self, body: Body, base: Path, output: Output, disk_retry: DiskRetry) -> Outcome:
        services, name = self._services, body["ProcessingJobName"]
        specification = body["AppSpecification"]
        job = ContainerSpec(
            name=base.name,
            image_uri=specification["ImageUri"],
            specification=specification,
            arguments=[],
            environment={
                **body.get("Environment", {}),
                "PROCESSING_JOB_ARN": body["ProcessingJobArn"],
                "PROCESSING_JOB_NAME": name,
            },
            base=base,
            log_path=services.settings.log_path(PROCESSING, name),
            threads=cores(),
            seconds=body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY),
        )
        return services.run(services.launcher.launch(job), output, disk_retry)


@dataclass(frozen=True)
class JobEnd:
    """How a processing job ends: its status, the reason, and its container's message."""

    status: str
    reason: str = ""
    message: str = ""

    def enter(self, body: Body) -> None:
        """Writes this into the job's record."""
        body.update(ProcessingJobStatus=self.status, ProcessingEndTime=now())
        if self.reason:
            body["FailureReason"] = self.reason[:REASON_LENGTH]
        if self.message:
            body["ExitMessage"] = self.message


def check(request: Body, services: JobServices) -> None:
    """Checks the rules for a processing job that the service model doesn't contain. Raises Invalid."""
    folder_of(request["AppSpecification"]["ImageUri"], services.settings.images)
    sources = request.get("ProcessingInputs", [])
    targets = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for source in sources:
        if "S3Input" not in source:
            raise Invalid(
                f"The processing input '{source.get('InputName')}' needs an S3Input: there are no others here."
            )
    for target in targets:
        if "S3Output" not in target:
            raise Invalid(f"The processing output '{target.get('OutputName')}' needs an S3Output: there are no others.")
    places = [source["S3Input"].get("LocalPath", "") for source in sources]
    _check_places(places + [target["S3Output"].get("LocalPath", "") for target in targets])


def _check_places(places: list[str]) -> None:
    for place in places:
        opt_ml.local_path(place, Path())
    if len(set(places)) < len(places):
        raise Invalid("Each processing input and output needs a LocalPath of its own.")


def inputs(body: Mapping[str, Any]) -> list[Body]:
    return [source["S3Input"] for source in body.get("ProcessingInputs", [])]


def outputs(body: Body, base: Path, *modes: str) -> list[tuple[Path, str]]:
    """(directory, S3 prefix) for each output that has one of the upload modes."""
    wanted = [output["S3Output"] for output in body.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    return [
        (opt_ml.local_path(output["LocalPath"], base), output["S3Uri"])
        for output in wanted
        if output["S3UploadMode"] in modes
    ]
