"""Training jobs: the calls."""

from . import container
from .errors import Invalid
from .jobs import Workshop
from .kinds import TRAINING, Body
from .metrics import compile_definitions
from .training_run import TrainingRun, Watcher, end


class TrainingJobs:
    """CreateTrainingJob and StopTrainingJob, and the threads that run the jobs."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    def create(self, request: Body) -> Body:
        check(request, self._shop)
        tags = request.pop("Tags", [])
        body = self._shop.ledger.create(TRAINING, request, tags)
        self.start(body["TrainingJobName"], Watcher())
        return {"TrainingJobArn": body["TrainingJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["TrainingJobName"]
        self._shop.ledger.begin_stop(TRAINING, name)
        self._shop.running.ask_stop(TRAINING, name)
        return {}

    def start(self, name: str, watcher: Watcher) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._shop.running.start(TRAINING, name, lambda stop: TrainingRun(self._shop, name, watcher, stop).work())

    def recover(self, body: Body) -> None:
        """For a job that had not ended when the endpoint did: its process is gone."""
        if body["TrainingJobStatus"] == "Stopping":
            self.end_stopped(body["TrainingJobName"])
        else:
            self.start(body["TrainingJobName"], Watcher())

    def end_stopped(self, name: str) -> Body:
        """Stopping → Stopped, for a job whose process is gone."""
        return self._shop.ledger.change(TRAINING, name, lambda body: end(body, "Stopped", "Stopped", ""))


def check(request: Body, workshop: Workshop) -> None:
    """The rules for a training job, or for a definition of one, that the service model can't say. Raises Invalid."""
    specification = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in specification:
        raise Invalid("AlgorithmSpecification needs a TrainingImage: this endpoint has no algorithms of its own.")
    container.folder_of(specification["TrainingImage"], workshop.settings.images)
    compile_definitions(specification.get("MetricDefinitions", []))
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(channels)) < len(channels) or any(set(name) == {"."} for name in channels):
        raise Invalid("Each channel in InputDataConfig needs a name of its own, and not one of dots alone.")
    for channel in request.get("InputDataConfig", []):
        source = channel.get("DataSource", {}).get("S3DataSource")
        if source is None or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise Invalid(f"Channel '{channel['ChannelName']}' needs an S3DataSource of type S3Prefix or ManifestFile.")
