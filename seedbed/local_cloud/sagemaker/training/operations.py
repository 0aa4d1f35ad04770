"""The operations on training jobs."""

from pathlib import Path

from .. import defaults, instances, tags
from ..containers import opt_ml
from ..containers.images import folder_of
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import TRAINING, Body
from ..records.transitions import end
from . import built_in, inputs
from .channels import channels
from .host_files import KEPT
from .metrics import compile_definitions
from .run import TrainingListener, TrainingRun


class TrainingJobs:
    """CreateTrainingJob and StopTrainingJob, and the threads that run the jobs."""

    def __init__(self, services: JobServices) -> None:
        self._services = services

    def create(self, request: Body, region: str) -> Body:
        defaults.fill_training_job(request)
        built_in.fill(request.get("AlgorithmSpecification", {}))
        check(request, self._services, region)
        asked = request.get("ResourceConfig", {})
        instances.check(TRAINING, asked, self._services.ledger, self._services.settings)
        if asked:
            request["ResourceConfig"] = instances.chosen(asked)
        body = self._services.ledger.create(TRAINING, request, tags.take(request), region=region)
        self.start(body["TrainingJobName"], TrainingListener())
        return {"TrainingJobArn": body["TrainingJobArn"]}

    def stop(self, request: Body) -> Body:
        name = request["TrainingJobName"]
        try:
            self._services.ledger.begin_stop(TRAINING, name)
        finally:
            self._services.job_threads.request_stop(TRAINING, name)
        return {}

    def start(self, name: str, listener: TrainingListener) -> None:
        """Runs a recorded job in a thread of its own, from scratch."""
        self._services.job_threads.start(
            TRAINING, name, lambda stop: TrainingRun(self._services, name, listener, stop).work()
        )

    def recover(self, body: Body) -> None:
        """Resumes a job whose thread and process are gone."""
        if body["TrainingJobStatus"] == "Stopping":
            self.end_stopped(body["TrainingJobName"])
        else:
            self.start(body["TrainingJobName"], TrainingListener())

    def end_stopped(self, name: str) -> Body:
        """Stopping → Stopped, for a job whose process is gone."""
        return self._services.ledger.change(TRAINING, name, lambda body: end(body, "Stopped", "Stopped", ""))


def check(request: Body, services: JobServices, region: str) -> None:
    """Checks the rules for a training job or definition that the service model doesn't contain. Raises Invalid."""
    specification = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in specification:
        raise Invalid("AlgorithmSpecification needs a TrainingImage: this endpoint has no algorithms of its own.")
    folder_of(specification["TrainingImage"], services.settings.images)
    compile_definitions(specification.get("MetricDefinitions", []))
    for kept in KEPT:
        if kept.config in request:
            opt_ml.local_path(request[kept.config].get("LocalPath", kept.default), Path())
    _check_channels(request)
    _check_spot(request)
    inputs.check(request, services.transfer, region)


def _check_channels(request: Body) -> None:
    given = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in given]
    if len(set(names)) < len(names) or any(set(name) == {"."} for name in names):
        raise Invalid("Each channel in InputDataConfig needs a name of its own, and not one of dots alone.")
    for channel in given:
        if "S3DataSource" not in channel.get("DataSource", {}):
            raise Invalid(f"Channel '{channel['ChannelName']}' needs an S3DataSource: this endpoint reads no others.")
    groups = {group["InstanceGroupName"] for group in request.get("ResourceConfig", {}).get("InstanceGroups", [])}
    for found in channels(request):
        if fault := found.fault(groups):
            raise Invalid(f"Channel '{found.name}' {fault}.")


def _check_spot(request: Body) -> None:
    condition = request["StoppingCondition"]
    wait = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise Invalid("MaxWaitTimeInSeconds is for jobs with EnableManagedSpotTraining only.")
    elif "InstancePreferences" in request.get("ResourceConfig", {}):
        raise Invalid("InstancePreferences and EnableManagedSpotTraining can't be given together.")
    elif wait is None:
        raise Invalid("A job with EnableManagedSpotTraining needs a MaxWaitTimeInSeconds in its StoppingCondition.")
    elif wait < condition["MaxRuntimeInSeconds"]:
        raise Invalid("MaxWaitTimeInSeconds must be equal to or greater than MaxRuntimeInSeconds.")
