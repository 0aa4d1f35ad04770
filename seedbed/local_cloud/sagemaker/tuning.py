"""Hyperparameter tuning jobs: the calls."""

import secrets
from typing import Any

from . import listing, training
from .errors import Invalid, Unsupported
from .jobs import Workshop
from .kinds import ENDED, TUNING, Body
from .ranges import read_ranges
from .store import Job
from .training import TrainingJobs
from .tuning_run import TuningRun

HYPERPARAMETERS = 100
LIMITS = {"Random": 10_000, "Bayesian": 750}
PARALLEL = 100


class TuningJobs:
    """CreateHyperParameterTuningJob, Describe and Stop, and the threads that run the loops."""

    def __init__(self, workshop: Workshop, training_jobs: TrainingJobs) -> None:
        self._shop = workshop
        self._training_jobs = training_jobs

    def create(self, request: Body) -> Body:
        self._check(request)
        tags = request.pop("Tags", [])
        seed = request["HyperParameterTuningJobConfig"].get("RandomSeed", secrets.randbits(31))
        body = self._shop.ledger.create(TUNING, request, tags, seed=seed)
        self.start(body["HyperParameterTuningJobName"])
        return {"HyperParameterTuningJobArn": body["HyperParameterTuningJobArn"]}

    def start(self, name: str) -> None:
        """Runs or goes on with a recorded tuning job in a thread of its own."""
        self._shop.running.start(
            TUNING, name, lambda stop: TuningRun(self._shop, self._training_jobs, name, stop).work()
        )

    def stop(self, request: Body) -> Body:
        name = request["HyperParameterTuningJobName"]
        self._shop.ledger.begin_stop(TUNING, name)
        self._shop.running.ask_stop(TUNING, name)
        return {}

    def describe(self, request: Body) -> Body:
        job = self._shop.ledger.find(TUNING, request["HyperParameterTuningJobName"])
        body = self._shop.ledger.describe(TUNING, job.body)
        own = best_training_job(self._shop, job.body)
        if own is not None:
            body["BestTrainingJob"] = listing.training_job_summary(own, job.body)
        warm = job.body.get("WarmStartConfig")
        if warm and warm["WarmStartType"] == "IdenticalDataAndAlgorithm":
            overall = self._overall_best(job.body, [own] if own else [])
            if overall is not None:
                body["OverallBestTrainingJob"] = overall
        return body

    def _overall_best(self, body: Body, candidates: list[Job]) -> Body | None:
        for parent in body["WarmStartConfig"]["ParentHyperParameterTuningJobs"]:
            found = self._shop.ledger.store.get(TUNING, parent["HyperParameterTuningJobName"])
            best = best_training_job(self._shop, found.body) if found else None
            candidates += [best] if best else []
        if not candidates:
            return None
        pick = max if maximizes(body) else min
        best = pick(candidates, key=lambda job: job.objective or 0.0)
        summary = listing.training_job_summary(best, body)
        return {**summary, "TuningJobName": best.private["tuning_job"]}

    def _check(self, request: Body) -> None:
        """AMT's own rules, as far as the service model can't say them. Raises Invalid or Unsupported."""
        config = request["HyperParameterTuningJobConfig"]
        definition = _definition(request)
        training.check(definition, self._shop)
        if config["Strategy"] not in LIMITS:
            raise Unsupported(f"The strategy {config['Strategy']} is not there yet. Use Bayesian or Random.")
        objective = config.get("HyperParameterTuningJobObjective")
        if objective is None:
            raise Invalid("HyperParameterTuningJobConfig needs a HyperParameterTuningJobObjective.")
        metrics = [item["Name"] for item in definition["AlgorithmSpecification"].get("MetricDefinitions", [])]
        if objective["MetricName"] not in metrics:
            raise Invalid(
                f"The objective metric '{objective['MetricName']}' must be one of the MetricDefinitions: {metrics}."
            )
        tuned = {item.name for item in read_ranges(config.get("ParameterRanges", {}))}
        static = set(definition.get("StaticHyperParameters", {}))
        if tuned & static:
            raise Invalid(f"The hyperparameters {sorted(tuned & static)} can't be both static and tuned.")
        if len(tuned | static) > HYPERPARAMETERS:
            raise Invalid(f"Static and tuned hyperparameters can't be more than {HYPERPARAMETERS} together.")
        _check_limits(config)
        self._check_warm_start(request)

    def _check_warm_start(self, request: Body) -> None:
        for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
            name = parent.get("HyperParameterTuningJobName", "")
            found = self._shop.ledger.store.get(TUNING, name)
            if found is None or found.body["HyperParameterTuningJobStatus"] not in ENDED:
                raise Invalid(f"The parent tuning job '{name}' must exist and have ended.")
            ours, theirs = (
                body["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
                for body in (request, found.body)
            )
            if ours != theirs:
                raise Invalid(f"The parent tuning job '{name}' must have the same objective, but it has {theirs}.")


def maximizes(body: Body) -> bool:
    objective = body["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return bool(objective["Type"] == "Maximize")


def best_training_job(workshop: Workshop, body: Body) -> Job | None:
    """The best of those that completed; of those that were stopped only where none did."""
    order = f"status <> 'Completed', objective {'DESC' if maximizes(body) else 'ASC'}, number"
    key = body["HyperParameterTuningJobName"].lower()
    found = workshop.ledger.store.select("parent = ? AND objective_status = 'Succeeded'", (key,), order, (1, 0))
    return found[0] if found else None


def _definition(request: Body) -> Body:
    if "TrainingJobDefinitions" in request:
        raise Unsupported("TrainingJobDefinitions are not there yet. Give a single TrainingJobDefinition.")
    if "TrainingJobDefinition" not in request:
        raise Invalid("The tuning job needs a TrainingJobDefinition.")
    definition: Body = request["TrainingJobDefinition"]
    return definition


def _check_limits(config: Body) -> None:
    limits: dict[str, Any] = config["ResourceLimits"]
    most = LIMITS[config["Strategy"]]
    if limits.get("MaxNumberOfTrainingJobs", 1) > most:
        raise Invalid(f"MaxNumberOfTrainingJobs can be at most {most} for the {config['Strategy']} strategy.")
    if limits["MaxParallelTrainingJobs"] > PARALLEL:
        raise Invalid(f"MaxParallelTrainingJobs can be at most {PARALLEL}.")
    if limits["MaxParallelTrainingJobs"] > limits.get("MaxNumberOfTrainingJobs", PARALLEL):
        raise Invalid("MaxParallelTrainingJobs can't be greater than MaxNumberOfTrainingJobs.")
