"""A transform job, from the start of its containers to the last object, in one or several attempts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..containers.process import Stop
from ..errors import REASON_LENGTH, JobFailure
from ..hosting.deployment import LOOK_SECONDS, end
from ..hosting.instance import Instance
from ..hosting.owner import Owner
from ..hosting.plans import VariantPlan
from ..jobs import JobServices, remove_directory
from ..kinds import ENDED, TRANSFORM, Body
from ..records.transitions import now
from ..s3.find import FoundObject
from ..settings import region_of
from .objects import Objects
from .parameters import Parameters, variables, wishes_of
from .sender import Sender

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
BLAMED = ("AlgorithmError", "ClientError", "InternalServerError")


@dataclass(frozen=True)
class JobEnd:
    """How a transform job ends: its status and the reason."""

    status: str
    reason: str = ""

    def enter(self, body: Body) -> None:
        """Writes this into the job's record."""
        body.update(TransformJobStatus=self.status, TransformEndTime=now())
        if self.reason:
            body["FailureReason"] = self.reason[:REASON_LENGTH]


class TransformRun:
    """One transform job, new or left in progress by an endpoint that crashed."""

    def __init__(self, services: JobServices, name: str, stop: Stop) -> None:
        self._services = services
        self._name = name
        self._stop = stop
        self._disk_retry = services.disk_retry(TRANSFORM, name, stop)
        record = services.ledger.find(TRANSFORM, name)
        self._body = record.body
        plan = VariantPlan.read(record.private["plan"])
        environment = {**plan.environment, **record.body.get("Environment", {}), **variables(record.body)}
        self._plan = replace(plan, environment=environment)
        self._owner = Owner(TRANSFORM, name, region_of(record.body["TransformJobArn"]), LOG_GROUP)
        self._folder = services.settings.work_dir(TRANSFORM, name)

    def work(self) -> None:
        """Makes attempts until one doesn't end because of a full disk, then records the job's end.

        If the endpoint shuts down, the job stays in progress.
        """
        status = self._body["TransformJobStatus"]
        if status in ENDED:
            return
        job_end = JobEnd("Stopped")
        while status == "InProgress":
            self._disk_retry.begin_attempt()
            job_end = self._attempt()
            if job_end.status != "Failed" or not self._disk_retry.should_repeat():
                break
        if self._stop.reason == "shutdown":
            return
        if self._stop.reason == "stopped":
            job_end = JobEnd("Stopped")
        self._disk_retry.until_recorded(lambda: self._services.ledger.change(TRANSFORM, self._name, job_end.enter))

    def _attempt(self) -> JobEnd:
        instances: list[Instance] = []
        try:
            source = self._body["TransformInput"]["DataSource"]["S3DataSource"]
            found = self._services.transfer.finder.find(source["S3DataType"], source["S3Uri"])
            for _ in range(self._body["TransformResources"]["InstanceCount"]):
                instance = Instance(self._services, self._owner, self._plan, once=True)
                instance.start()
                instances.append(instance)
            self._wait_until_ready(instances)
            fault = "" if self._stop.reason is not None else self._transform(found, instances)
            return JobEnd("Failed", self._blamed(fault, instances)) if fault else JobEnd("Completed")
        except JobFailure as failure:
            return JobEnd("Failed", self._blamed(str(failure), instances))
        except Exception as error:
            if self._stop.reason != "shutdown":
                log.exception("The transform job %s failed with an error of the endpoint", self._name)
            return JobEnd("Failed", f"InternalServerError: {error}")
        finally:
            end(instances)
            remove_directory(self._folder)

    def _wait_until_ready(self, instances: Sequence[Instance]) -> None:
        """Returns once every container has answered a ping, or the job is stopped. Raises JobFailure."""
        while self._stop.reason is None and not all(instance.is_ready for instance in instances):
            if any(instance.has_ended for instance in instances):
                raise JobFailure("the container has ended")
            self._stop.wait(LOOK_SECONDS)

    def _transform(self, found: Sequence[FoundObject], instances: Sequence[Instance]) -> str:
        """Sends the objects. Returns why one failed; empty if none has."""
        begun = {"TransformStartTime": now()}
        self._disk_retry.until_recorded(
            lambda: self._services.ledger.change(TRANSFORM, self._name, lambda body: body.update(begun))
        )
        target, source = self._body["TransformOutput"], self._body["TransformInput"]
        given = {"Content-Type": source.get("ContentType"), "Accept": target.get("Accept")}
        headers = {name: value for name, value in given.items() if value}
        parameters = Parameters.of(self._body, wishes_of(instances[0].port))
        client, calls = self._body.get("ModelClientConfig", {}), parameters.concurrent * len(instances)
        sender = Sender(instances, headers, client, calls)
        self._stop.on_request(lambda: self._end_calls(sender, instances))
        objects = Objects(self._body, sender, parameters, self._services.transfer, self._disk_retry)
        return objects.send(found, self._folder / "answers")

    def _end_calls(self, sender: Sender, instances: Sequence[Instance]) -> None:
        """Ends the calls that run: their containers end."""
        sender.close()
        for instance in instances:
            instance.stop()

    def _blamed(self, fault: str, instances: Sequence[Instance]) -> str:
        """A FailureReason; where a container has ended, it says why, and otherwise what it said last."""
        ended = next((instance.failure for instance in instances if instance.failure), "")
        reason = ended or fault
        if reason.startswith(BLAMED):
            return reason
        said = [line for instance in instances for line in instance.last_lines()]
        lines = "\n".join(said) if said and not ended else ""
        head = f"AlgorithmError: {reason}"
        return f"{head} The container said last: {lines[-max(1, REASON_LENGTH - len(head) - 27) :]}" if lines else head
