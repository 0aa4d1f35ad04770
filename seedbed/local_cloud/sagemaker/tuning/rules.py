"""AMT's rules for a tuning job that the service model doesn't contain."""

from collections.abc import Sequence
from difflib import get_close_matches

from .. import instances
from ..errors import Invalid, LimitExceeded
from ..jobs import JobServices
from ..kinds import TRAINING, Body
from ..search.hyperband import resource_bounds
from ..search.strategies import combinations
from ..training import operations as training
from . import warm_start
from .definitions import OBJECTIVE, Definition, read_definitions
from .limits import MAX_PARALLEL, max_jobs

MAX_HYPERPARAMETERS = 100
MAX_VARIABLES = 48
SHOWN_METRICS = 8


def check(request: Body, services: JobServices, region: str) -> None:
    """Raises Invalid or LimitExceeded for a CreateHyperParameterTuningJob request that breaks a rule."""
    definitions = read_definitions(request)
    config = request["HyperParameterTuningJobConfig"]
    for definition in definitions:
        _check_resources(definition.body)
        job = definition.training_job("", {})
        training.check(job, services, region)
        parallel = config["ResourceLimits"]["MaxParallelTrainingJobs"]
        instances.check(TRAINING, job["ResourceConfig"], services.ledger, services.settings, parallel)
        _check_hyperparameters(definition)
    if sum(len(item.body.get("Environment", {})) for item in definitions) > MAX_VARIABLES:
        raise Invalid(f"All definitions together can have at most {MAX_VARIABLES} variables in their Environment.")
    _check_strategy(config, definitions)
    _check_limits(config, sum(combinations(item.ranges) for item in definitions))
    if len(definitions) > 1 and config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise Invalid("TrainingJobEarlyStoppingType must be Off with several TrainingJobDefinitions.")
    warm_start.check(request, definitions, services.ledger.store)


def _check_hyperparameters(definition: Definition) -> None:
    metrics = [item["Name"] for item in definition.body["AlgorithmSpecification"].get("MetricDefinitions", [])]
    if definition.metric not in metrics:
        raise Invalid(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric"
            f" definitions. '{definition.metric}' is none of theirs: {_shown(metrics, definition.metric)}."
        )
    tuned = {item.name for item in definition.ranges}
    static = set(definition.static) - {OBJECTIVE}
    if tuned & static:
        raise Invalid(f"The hyperparameters {sorted(tuned & static)} can't be both static and tuned.")
    if len(tuned | static) > MAX_HYPERPARAMETERS:
        raise Invalid(f"Static and tuned hyperparameters can't be more than {MAX_HYPERPARAMETERS} together.")


def _shown(metrics: list[str], wanted: str) -> str:
    """The metrics' names; of many the closest ones."""
    if len(metrics) <= SHOWN_METRICS:
        return ", ".join(metrics) or "there are none"
    closest = get_close_matches(wanted, metrics, SHOWN_METRICS, cutoff=0)
    return f"{', '.join(closest)} and {len(metrics) - SHOWN_METRICS} more"


def _check_resources(body: Body) -> None:
    if ("ResourceConfig" in body) == ("HyperParameterTuningResourceConfig" in body):
        raise Invalid("Give exactly one of ResourceConfig and HyperParameterTuningResourceConfig in each definition.")
    config = body.get("HyperParameterTuningResourceConfig")
    if config is None:
        return
    single = [field for field in ("InstanceType", "InstanceCount", "VolumeSizeInGB") if field in config]
    if "InstanceConfigs" in config:
        if single:
            raise Invalid(f"HyperParameterTuningResourceConfig can't have InstanceConfigs and {single[0]} together.")
    elif not {"InstanceType", "InstanceCount"} <= set(single):
        raise Invalid("HyperParameterTuningResourceConfig needs InstanceConfigs, or InstanceType and InstanceCount.")


def _check_strategy(config: Body, definitions: Sequence[Definition]) -> None:
    strategy = config["Strategy"]
    if strategy == "Hyperband":
        if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
            raise Invalid(
                "TrainingJobEarlyStoppingType must be Off with the Hyperband strategy, which stops jobs itself."
            )
        for definition in definitions:
            resource_bounds(config, definition.static)
    elif "StrategyConfig" in config:
        raise Invalid(f"StrategyConfig is for the Hyperband strategy only, not for {strategy}.")
    if strategy == "Grid":
        numeric = [item.name for definition in definitions for item in definition.ranges if item.kind != "categorical"]
        if numeric:
            raise Invalid(f"The Grid strategy takes CategoricalParameterRanges only, but {numeric} are numeric.")


def _check_limits(config: Body, choices: float) -> None:
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    jobs, parallel = limits.get("MaxNumberOfTrainingJobs"), limits["MaxParallelTrainingJobs"]
    most = max_jobs(strategy)
    wanted = choices if jobs is None and strategy == "Grid" else jobs or 0
    if wanted > most:
        raise LimitExceeded(
            f"MaxNumberOfTrainingJobs can be at most {most} for the {strategy} strategy, but it is {wanted}."
        )
    if parallel > MAX_PARALLEL:
        raise LimitExceeded(f"MaxParallelTrainingJobs can be at most {MAX_PARALLEL}, but it is {parallel}.")
    if jobs is None:
        return
    if parallel > jobs:
        raise Invalid(f"MaxParallelTrainingJobs {parallel} can't be greater than MaxNumberOfTrainingJobs {jobs}.")
    if strategy == "Grid" and jobs != choices:
        raise Invalid(
            f"MaxNumberOfTrainingJobs must be left out for the Grid strategy, or be {choices}: all it can try."
        )
    if jobs > choices:
        raise Invalid(
            f"The ranges allow {choices} combinations of hyperparameters, fewer than MaxNumberOfTrainingJobs {jobs}."
        )
