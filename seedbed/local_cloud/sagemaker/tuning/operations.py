"""Hyperparameter tuning jobs: the calls."""

import secrets

from .. import tags
from ..jobs import Workshop
from ..kinds import TUNING, Body
from ..training.operations import TrainingJobs
from . import autotune, rules
from .run import TuningRun


class TuningJobs:
    """CreateHyperParameterTuningJob, Stop and Delete, and the threads that run the loops."""

    def __init__(self, workshop: Workshop, training_jobs: TrainingJobs) -> None:
        self._shop = workshop
        self._training_jobs = training_jobs

    def create(self, request: Body) -> Body:
        autotune.fill(request)
        rules.check(request, self._shop)
        given = tags.take(request)
        seed = request["HyperParameterTuningJobConfig"].get("RandomSeed", secrets.randbits(31))
        body = self._shop.ledger.create(TUNING, request, given, seed=seed)
        self.start(body["HyperParameterTuningJobName"])
        return {"HyperParameterTuningJobArn": body["HyperParameterTuningJobArn"]}

    def start(self, name: str) -> None:
        """Runs or goes on with a recorded tuning job in a thread of its own."""
        self._shop.running.start(
            TUNING, name, lambda stop: TuningRun(self._shop, self._training_jobs, name, stop).work()
        )

    def stop(self, request: Body) -> Body:
        name = request["HyperParameterTuningJobName"]
        try:
            self._shop.ledger.begin_stop(TUNING, name)
        finally:
            self._shop.running.ask_stop(TUNING, name)
        return {}

    def delete(self, request: Body) -> Body:
        """Its training jobs stay, and what they left in S3."""
        self._shop.ledger.delete(TUNING, request["HyperParameterTuningJobName"])
        return {}
