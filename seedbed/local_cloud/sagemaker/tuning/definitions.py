"""A tuning job's training job definitions: one, or several that share its training jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Invalid
from ..instances import chosen
from ..kinds import Body
from ..search.ranges import Range, read_ranges
from ..training.metrics import OBJECTIVE_METRIC

INHERITED = [
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "CheckpointConfig",
    "StoppingCondition",
    "Environment",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
]
# The hyperparameter in which AMT gives a container the name of the objective metric.
OBJECTIVE = "_tuning_objective_metric"


@dataclass(frozen=True)
class Definition:
    """A training job definition and what it tunes.

    body: the definition in the request. metric: the objective metric's name. maximize: whether higher is better.
    """

    body: Body
    metric: str
    maximize: bool
    ranges: list[Range]

    @property
    def name(self) -> str:
        """The DefinitionName; empty if it has none."""
        return str(self.body.get("DefinitionName", ""))

    @property
    def static(self) -> Mapping[str, str]:
        """The hyperparameters that all its training jobs share."""
        static: Mapping[str, str] = self.body.get("StaticHyperParameters", {})
        return static

    def training_job(self, name: str, tuned: Mapping[str, str]) -> Body:
        """The CreateTrainingJob request for one of its training jobs."""
        return {
            **{field: self.body[field] for field in INHERITED if field in self.body},
            "ResourceConfig": chosen(_resource_config(self.body)),
            "TrainingJobName": name,
            "HyperParameters": {**self.static, **tuned, OBJECTIVE: self.metric},
        }


def definition_bodies(request: Body) -> list[Body]:
    """The definitions as a request has them."""
    one = request.get("TrainingJobDefinition")
    return [*([] if one is None else [one]), *request.get("TrainingJobDefinitions", [])]


def complete(request: Body) -> None:
    """Adds what AMT adds to each definition: the objective metric's name, its metric under another name, and the
    ResourceConfig that a HyperParameterTuningResourceConfig of one instance type stands for.
    """
    for definition in read_definitions(request):
        definition.body["StaticHyperParameters"][OBJECTIVE] = definition.metric
        if "InstanceConfigs" not in definition.body.get("HyperParameterTuningResourceConfig", {}):
            definition.body["ResourceConfig"] = _resource_config(definition.body)
        if definition.metric == OBJECTIVE_METRIC:
            continue
        specification = definition.body["AlgorithmSpecification"]
        metrics = [item for item in specification["MetricDefinitions"] if item["Name"] != OBJECTIVE_METRIC]
        regex = next(item["Regex"] for item in metrics if item["Name"] == definition.metric)
        specification["MetricDefinitions"] = [*metrics, {"Name": OBJECTIVE_METRIC, "Regex": regex}]


def read_definitions(request: Body) -> list[Definition]:
    """The definitions in a tuning job's request or record. Raises Invalid."""
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise Invalid("Give exactly one of TrainingJobDefinition and TrainingJobDefinitions.")
    config = request["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinition" in request:
        body = request["TrainingJobDefinition"]
        objective = _one_of(config, "HyperParameterTuningJobObjective", body, "TuningObjective")
        return [_definition(body, objective, _one_of(config, "ParameterRanges", body, "HyperParameterRanges"))]
    for field in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        if field in config:
            raise Invalid(f"With TrainingJobDefinitions each has its own: leave {field} out of the config.")
    return _several(request["TrainingJobDefinitions"])


def _several(bodies: list[Body]) -> list[Definition]:
    names = [body.get("DefinitionName", "") for body in bodies]
    if "" in names or len(set(names)) < len(names):
        raise Invalid("Each of the TrainingJobDefinitions needs a DefinitionName of its own.")
    for body in bodies:
        for field in ("TuningObjective", "HyperParameterRanges"):
            if field not in body:
                raise Invalid(f"The training job definition '{body['DefinitionName']}' needs a {field}.")
    found = [_definition(body, body["TuningObjective"], body["HyperParameterRanges"]) for body in bodies]
    if len({item.maximize for item in found}) > 1:
        raise Invalid("The TuningObjective of all TrainingJobDefinitions must have the same Type.")
    return found


def _definition(body: Body, objective: Body, ranges: Body) -> Definition:
    return Definition(body, objective["MetricName"], objective["Type"] == "Maximize", read_ranges(ranges))


def _one_of(config: Body, field: str, body: Body, other: str) -> Any:
    if (field in config) == (other in body):
        raise Invalid(
            f"Give exactly one of {field} in HyperParameterTuningJobConfig and {other} in TrainingJobDefinition."
        )
    return config[field] if field in config else body[other]


def _resource_config(body: Body) -> Body:
    """A definition's ResourceConfig, or the one of its HyperParameterTuningResourceConfig: the first InstanceConfig."""
    if "ResourceConfig" in body:
        config: Body = body["ResourceConfig"]
        return config
    tuning = body["HyperParameterTuningResourceConfig"]
    chosen = tuning["InstanceConfigs"][0] if "InstanceConfigs" in tuning else tuning
    fields = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
    key = {"VolumeKmsKeyId": tuning["VolumeKmsKeyId"]} if "VolumeKmsKeyId" in tuning else {}
    return {**{field: chosen[field] for field in fields if field in chosen}, **key}


def maximizes(tuning_job: Body) -> bool:
    """Whether a higher objective is better; a tuning job's definitions agree on that."""
    return read_definitions(tuning_job)[0].maximize
