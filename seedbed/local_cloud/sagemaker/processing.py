"""Processing jobs: the calls, and the job itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import tags
from .containers import opt_ml
from .containers.images import folder_of
from .containers.launcher import Job
from .containers.process import Outcome, Stop
from .errors import REASON_LENGTH, Invalid, JobFailure
from .full_disk import Room
from .jobs import Output, Workshop, failure_reason, fresh_directory, remove_directory
from .kinds import ENDED, PROCESSING, Body
from .records.transitions import now
from .s3.mirror import Mirror, kept_in_s3
from .settings import cores

log = logging.getLogger(__name__)

DAY = 86_400
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class ProcessingJobs:
    """CreateProcessingJob and StopProcessingJob, and the threads that run the jobs."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    def create(self, request: Body) -> Body:
        check(request, self._shop)
        body = self._shop.ledger.create(PROCESSING, request, tags.take(request))
        self.start(body["ProcessingJobName"])
        return {"ProcessingJobArn": body["ProcessingJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["ProcessingJobName"]
        try:
            self._shop.ledger.begin_stop(PROCESSING, name)
        finally:
            self._shop.running.ask_stop(PROCESSING, name)
        return {}

    def start(self, name: str) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._shop.running.start(PROCESSING, name, lambda stop: self._work(name, stop))

    def _work(self, name: str, stop: Stop) -> None:
        """Attempts until one of them is not for want of room; then the job's end, unless the endpoint shuts down."""
        room = self._shop.room(PROCESSING, name, stop)
        status = self._shop.ledger.find(PROCESSING, name).body["ProcessingJobStatus"]
        if status in ENDED:
            return
        end = End("Stopped")
        while status == "InProgress":
            room.begin()
            end = self._attempt(name, stop, room)
            if end.status != "Failed" or not room.came_back():
                break
        if stop.reason == "shutdown":
            return
        if end.status == "Failed" and stop.reason == "stopped":
            end = replace(end, status="Stopped")
        room.until_kept(lambda: self._shop.ledger.change(PROCESSING, name, end.enter))

    def _attempt(self, name: str, stop: Stop, room: Room) -> "End":
        try:
            return self._run(name, stop, room)
        except JobFailure as failure:
            return End("Failed", str(failure))
        except Exception as error:
            if stop.reason != "shutdown":
                log.exception("The processing job %s met an error of the endpoint's own", name)
            return End("Failed", f"InternalServerError: {error}")

    def _run(self, name: str, stop: Stop, room: Room) -> "End":
        body = self._shop.ledger.find(PROCESSING, name).body
        base = fresh_directory(self._shop.settings.work_dir(PROCESSING, name))
        try:
            self._shop.containers.ready(body["AppSpecification"]["ImageUri"])
            self._prepare(body, base, stop)
            begun = {"ProcessingStartTime": now()}
            room.until_kept(lambda: self._shop.ledger.change(PROCESSING, name, lambda body: body.update(begun)))
            output = Output(self._shop, LOG_GROUP, name)
            mirrors = [Mirror(self._shop.data, *place) for place in outputs(body, base, "Continuous")]
            with kept_in_s3(mirrors):
                outcome = self._launch(body, base, output, room)
            message = opt_ml.read_message(base / "output" / "message")
            if outcome.ended_by:
                reason = (
                    "ClientError: the job ran longer than its MaxRuntimeInSeconds"
                    if outcome.ended_by == "timeout"
                    else ""
                )
                return End("Stopped", reason, message)
            if outcome.exit_code:
                return End("Failed", failure_reason(message, outcome.exit_code, list(output.tail)), message)
            for place in outputs(body, base, "EndOfJob"):
                room.again(partial(self._shop.data.upload_directory, *place))
            return End("Completed", message=message)
        finally:
            remove_directory(base)

    def _prepare(self, body: Body, base: Path, stop: Stop) -> None:
        opt_ml.write_json(base / "config" / "processingjobconfig.json", body)
        cluster = body["ProcessingResources"]["ClusterConfig"]
        opt_ml.write_resource_config(base, "config", cluster.get("InstanceType", "local"))
        (base / "output").mkdir()
        for directory, _ in outputs(body, base, "Continuous", "EndOfJob"):
            directory.mkdir(parents=True, exist_ok=True)
        for source in inputs(body):
            directory = opt_ml.local_path(source["LocalPath"], base)
            self._shop.data.download(source["S3DataType"], source["S3Uri"], directory, lambda: stop.reason is not None)

    def _launch(self, body: Body, base: Path, output: Output, room: Room) -> Outcome:
        shop, name = self._shop, body["ProcessingJobName"]
        specification = body["AppSpecification"]
        job = Job(
            base.name,
            specification["ImageUri"],
            specification,
            [],
            {
                **body.get("Environment", {}),
                "PROCESSING_JOB_ARN": body["ProcessingJobArn"],
                "PROCESSING_JOB_NAME": name,
            },
            base,
            shop.settings.log_path(PROCESSING, name),
            cores(),
            body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY),
        )
        return shop.run(shop.containers.launch(job), output.heard, room)


@dataclass(frozen=True)
class End:
    """How a processing job ends: its status, why, and what its container left for people."""

    status: str
    reason: str = ""
    message: str = ""

    def enter(self, body: Body) -> None:
        """Into the job's record."""
        body.update(ProcessingJobStatus=self.status, ProcessingEndTime=now())
        if self.reason:
            body["FailureReason"] = self.reason[:REASON_LENGTH]
        if self.message:
            body["ExitMessage"] = self.message


def check(request: Body, workshop: Workshop) -> None:
    """The rules for a processing job that the service model can't say. Raises Invalid."""
    folder_of(request["AppSpecification"]["ImageUri"], workshop.settings.images)
    if request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] > 1:
        raise Invalid("This endpoint runs each job on one instance: InstanceCount must be 1.")
    sources = request.get("ProcessingInputs", [])
    targets = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for source in sources:
        if source.get("S3Input", {}).get("S3InputMode", "File") != "File":
            raise Invalid(f"The processing input '{source.get('InputName')}' must have the S3InputMode File here.")
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
