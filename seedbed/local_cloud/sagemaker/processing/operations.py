"""The operations on processing jobs."""

from pathlib import Path

from .. import defaults, instances, tags
from ..containers import opt_ml
from ..containers.images import folder_of
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import PROCESSING, Body
from .run import ProcessingRun


class ProcessingJobs:
    """CreateProcessingJob and StopProcessingJob, and the threads that run the jobs."""

    def __init__(self, services: JobServices) -> None:
        self._services = services

    def create(self, request: Body, region: str) -> Body:
        defaults.fill_processing_job(request)
        check(request, self._services)
        cluster = request["ProcessingResources"]["ClusterConfig"]
        instances.check(PROCESSING, cluster, self._services.ledger, self._services.settings)
        request["ProcessingResources"]["ClusterConfig"] = instances.chosen(cluster)
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
        self._services.job_threads.start(
            PROCESSING, name, lambda stop: ProcessingRun(self._services, name, stop).work()
        )


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
