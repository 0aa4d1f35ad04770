"""The operations on hyperparameter tuning jobs."""

import secrets

from .. import defaults, tags
from ..jobs import JobServices
from ..kinds import TUNING, Body
from ..training import built_in
from ..training.operations import TrainingJobs
from . import autotune, rules
from .definitions import complete, definition_bodies
from .run import TuningRun


class TuningJobs:
    """Create-, Stop- and DeleteHyperParameterTuningJob, and the threads that run the jobs."""

    def __init__(self, services: JobServices, training_jobs: TrainingJobs) -> None:
        self._services = services
        self._training_jobs = training_jobs

    def create(self, request: Body, region: str) -> Body:
        autotune.fill(request)
        defaults.fill_tuning_job(request)
        for definition in definition_bodies(request):
            built_in.fill(definition["AlgorithmSpecification"])
        rules.check(request, self._services, region)
        complete(request)
        given = tags.take(request)
        seed = request["HyperParameterTuningJobConfig"].get("RandomSeed", secrets.randbits(31))
        body = self._services.ledger.create(TUNING, request, given, region=region, seed=seed)
        self.start(body["HyperParameterTuningJobName"])
        return {"HyperParameterTuningJobArn": body["HyperParameterTuningJobArn"]}

    def start(self, name: str) -> None:
        """Runs or continues a recorded tuning job in its own thread."""
        self._services.job_threads.start(
            TUNING, name, lambda stop: TuningRun(self._services, self._training_jobs, name, stop).work()
        )

    def stop(self, request: Body) -> Body:
        name = request["HyperParameterTuningJobName"]
        try:
            self._services.ledger.begin_stop(TUNING, name)
        finally:
            self._services.job_threads.request_stop(TUNING, name)
        return {}

    def delete(self, request: Body) -> Body:
        """Deletes a tuning job. Its training jobs and their results in S3 stay."""
        self._services.ledger.delete(TUNING, request["HyperParameterTuningJobName"])
        return {}
