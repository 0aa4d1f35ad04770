"""The containers of a training job, one on each host."""

from collections.abc import Callable

from ..containers.launcher import ContainerSpec
from ..containers.process import Outcome
from ..full_disk import DiskRetry
from ..jobs import JobServices, failure_reason
from ..kinds import TRAINING
from .files import TrainingFiles
from .host_files import HostFiles
from .metrics import MeasuredOutput, Metrics

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingContainers:
    """What runs on a job's hosts, and what they say.

    metrics: what they report, whichever host does. found: called with the names of the metrics in a line.
    """

    def __init__(
        self, services: JobServices, files: TrainingFiles, metrics: Metrics, found: Callable[[set[str]], None]
    ) -> None:
        self._services = services
        self._files = files
        self._metrics = metrics
        self._found = found
        self.outputs = self._new_outputs()

    def run(self, threads: int, seconds: float, disk_retry: DiskRetry) -> Outcome:
        """Blocks until all have ended. threads: of the job; its hosts share them. seconds: how long it may run."""
        self.outputs = self._new_outputs()
        share = max(1, threads // len(self._files.hosts))
        specs = [self._spec(files, share, seconds) for files in self._files.hosts]
        return self._services.run(specs, self.outputs, disk_retry, self._files.feeds)

    def failure(self, outcome: Outcome, metrics_problem: str) -> str:
        """Why the job has failed: what the host says that failed first."""
        output, files = self.outputs[outcome.host], self._files.hosts[outcome.host]
        message, image = files.failure(), self._files.body["AlgorithmSpecification"]["TrainingImage"]
        note = output.moved_note(image, message) or metrics_problem
        host = files.host.name if len(self._files.hosts) > 1 else ""
        return failure_reason(message, outcome.exit_code, output.tail(), note, host)

    def _new_outputs(self) -> list[MeasuredOutput]:
        services, body = self._services, self._files.body
        return [
            MeasuredOutput(services, LOG_GROUP, body, self._metrics, self._found, host=files.host)
            for files in self._files.hosts
        ]

    def _spec(self, files: HostFiles, threads: int, seconds: float) -> ContainerSpec:
        """What runs on one host."""
        body = self._files.body
        name, specification = body["TrainingJobName"], body["AlgorithmSpecification"]
        return ContainerSpec(
            name=f"{self._files.base.name}-{files.host.name}",
            image_uri=specification["TrainingImage"],
            specification=specification,
            arguments=["train"],
            environment={
                **body.get("Environment", {}),
                "TRAINING_JOB_NAME": name,
                "TRAINING_JOB_ARN": body["TrainingJobArn"],
            },
            base=files.base,
            log_path=self._services.settings.log_path(TRAINING, name, files.host.number),
            threads=threads,
            seconds=seconds,
            cluster=self._files.cluster.seen_by(files.host),
        )
