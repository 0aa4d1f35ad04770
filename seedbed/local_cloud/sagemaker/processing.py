"""Processing jobs: the calls, and the job itself."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import container
from .containers import Job
from .errors import Invalid, JobFailure
from .jobs import Workshop, failure_reason, fresh_directory, remove_directory
from .kinds import PROCESSING, Body, cores
from .ledger import now
from .output import Output
from .runner import Outcome, Stop
from .sync import Mirror, kept_in_s3

log = logging.getLogger(__name__)

DAY = 86_400
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class ProcessingJobs:
    """CreateProcessingJob and StopProcessingJob, and the threads that run the jobs."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    def create(self, request: Body) -> Body:
        check(request, self._shop)
        tags = request.pop("Tags", [])
        body = self._shop.ledger.create(PROCESSING, request, tags)
        self.start(body["ProcessingJobName"])
        return {"ProcessingJobArn": body["ProcessingJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["ProcessingJobName"]
        self._shop.ledger.begin_stop(PROCESSING, name)
        self._shop.running.ask_stop(PROCESSING, name)
        return {}

    def start(self, name: str) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._shop.running.start(PROCESSING, name, lambda stop: self._work(name, stop))

    def recover(self, body: Body) -> None:
        """For a job that had not ended when the endpoint did: its process is gone."""
        if body["ProcessingJobStatus"] == "Stopping":
            self._end(body["ProcessingJobName"], "Stopped")
        else:
            self.start(body["ProcessingJobName"])

    def _work(self, name: str, stop: Stop) -> None:
        try:
            self._run(name, stop)
        except JobFailure as failure:
            self._end(name, "Stopped" if stop.reason == "stopped" else "Failed", str(failure), stop=stop)
        except Exception as error:
            if stop.reason == "shutdown":
                return
            log.exception("The processing job %s ended in an error of the endpoint's own", name)
            self._end(name, "Failed", f"InternalServerError: {error}", stop=stop)

    def _run(self, name: str, stop: Stop) -> None:
        body = self._shop.ledger.find(PROCESSING, name).body
        if body["ProcessingJobStatus"] == "Stopping":
            stop.ask("stopped")
        base = fresh_directory(self._shop.settings.work_dir(PROCESSING, name))
        try:
            self._shop.containers.ready(body["AppSpecification"]["ImageUri"])
            self._prepare(body, base, stop)
            started = now()
            self._shop.ledger.change(PROCESSING, name, lambda body: body.update(ProcessingStartTime=started))
            output = Output(self._shop, LOG_GROUP, name)
            mirrors = [Mirror(self._shop.data, *place) for place in outputs(body, base, "Continuous")]
            with kept_in_s3(mirrors):
                outcome = self._launch(body, base, stop, output)
            message = container.read_message(base / "output" / "message")
            if outcome.ended_by:
                reason = (
                    "ClientError: the job ran longer than its MaxRuntimeInSeconds"
                    if outcome.ended_by == "timeout"
                    else ""
                )
                self._end(name, "Stopped", reason, message, stop)
            elif outcome.exit_code:
                self._end(name, "Failed", failure_reason(message, outcome.exit_code, list(output.tail)), message, stop)
            else:
                for directory, uri in outputs(body, base, "EndOfJob"):
                    self._shop.data.upload_directory(directory, uri)
                self._end(name, "Completed", message=message, stop=stop)
        finally:
            remove_directory(base)

    def _prepare(self, body: Body, base: Path, stop: Stop) -> None:
        container.write_json(base / "config" / "processingjobconfig.json", body)
        cluster = body["ProcessingResources"]["ClusterConfig"]
        container.write_resource_config(base, "config", cluster.get("InstanceType", "local"))
        (base / "output").mkdir()
        for directory, _ in outputs(body, base, "Continuous", "EndOfJob"):
            directory.mkdir(parents=True, exist_ok=True)
        for source in inputs(body):
            directory = container.local_path(source["LocalPath"], base)
            self._shop.data.download(source["S3DataType"], source["S3Uri"], directory, lambda: stop.reason is not None)

    def _launch(self, body: Body, base: Path, stop: Stop, output: Output) -> Outcome:
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
        return shop.run(PROCESSING, name, shop.containers.launch(job), stop, output.heard)

    def _end(self, name: str, status: str, reason: str = "", message: str = "", stop: Stop | None = None) -> None:
        if stop is not None and stop.reason == "shutdown":
            return

        def end(body: Body) -> None:
            body.update(ProcessingJobStatus=status, ProcessingEndTime=now())
            if reason:
                body["FailureReason"] = reason[: container.REASON_LENGTH]
            if message:
                body["ExitMessage"] = message

        self._shop.ledger.change(PROCESSING, name, end)


def check(request: Body, workshop: Workshop) -> None:
    """The rules for a processing job that the service model can't say. Raises Invalid."""
    container.folder_of(request["AppSpecification"]["ImageUri"], workshop.settings.images)
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
        container.local_path(place, Path())
    if len(set(places)) < len(places):
        raise Invalid("Each processing input and output needs a LocalPath of its own.")


def inputs(body: Mapping[str, Any]) -> list[Body]:
    return [source["S3Input"] for source in body.get("ProcessingInputs", [])]


def outputs(body: Body, base: Path, *modes: str) -> list[tuple[Path, str]]:
    """(directory, S3 prefix) for each output that has one of the upload modes."""
    wanted = [output["S3Output"] for output in body.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    return [
        (container.local_path(output["LocalPath"], base), output["S3Uri"])
        for output in wanted
        if output["S3UploadMode"] in modes
    ]
