"""The properties of a resource that Search knows: their types, and their values in a record.

A property's name leads through SageMaker's own structures: `TrainingJobStatus`, `ResourceConfig.InstanceType`,
`InputDataConfig.ChannelName`, `HyperParameters.learning_rate`, `Tags.project`, `Metrics.accuracy`. Upper and lower case
of field names don't matter. Where a list is on the way, each of its items counts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

from ..errors import Invalid, Unsupported
from ..kinds import Body

RESOURCES = {
    "TrainingJob": "TrainingJob",
    "HyperParameterTuningJob": "HyperParameterTuningJob",
    "Experiment": "Experiment",
    "ExperimentTrial": "Trial",
    "ExperimentTrialComponent": "TrialComponent",
    "ModelPackage": "ModelPackage",
    "ModelPackageGroup": "ModelPackageGroup",
    "Endpoint": "Endpoint",
}
"""The member of SearchRecord for each resource that can be searched here."""
STATISTIC = re.compile(r"(?i)(.+)\.(min|max|avg|stddev|last|count)")
STATISTICS = {name.lower(): name for name in ("Min", "Max", "Avg", "StdDev", "Last", "Count")}
TYPES = {
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "timestamp": "timestamp",
    "boolean": "boolean",
    "string": "text",
}


@dataclass(frozen=True)
class Property:
    """One property. type: number, timestamp, boolean, text, any (a text that may be a number) or whole (a structure).

    values: those that a record has.
    """

    name: str
    type: str
    values: Callable[[Body], list[Any]]


def shape_of(resource: str) -> StructureShape:
    """The structure of a resource's records. Raises Unsupported for one that can't be searched here."""
    if resource not in RESOURCES:
        raise Unsupported(f"This endpoint can search {', '.join(RESOURCES)}, but not {resource}.")
    shape = _model().shape_for("SearchRecord").members[RESOURCES[resource]]
    assert isinstance(shape, StructureShape)
    return shape


def job_shape(name: str) -> StructureShape:
    """The structure of a trial component's source: TrainingJob or ProcessingJob."""
    shape = _model().shape_for(name)
    assert isinstance(shape, StructureShape)
    return shape


def find(resource: str, name: str) -> Property:
    """The property of a resource by its name. Raises Invalid for one that the resource does not have."""
    shape = shape_of(resource)
    head, _, rest = name.partition(".")
    special = _special(resource, head.lower(), rest)
    if special is not None:
        return Property(name, *special)
    found = _walk(shape, name.split("."))
    if found is None:
        raise Invalid(f"Unknown property name: {name}. Resource {resource} does not have it.")
    return Property(name, *found)


def names(resource: str) -> list[str]:
    """The names of a resource's own fields, for suggestions."""
    return sorted(shape_of(resource).members)


def _special(resource: str, head: str, rest: str) -> tuple[str, Callable[[Body], list[Any]]] | None:
    """Type and values of what is named by its key: a tag, a metric or a parameter."""
    if not rest:
        return None
    if head == "tags":
        return "any", partial(_tag, rest)
    if head == "metrics" and resource == "TrainingJob":
        return "number", partial(_final_metric, rest)
    if head == "metrics" and resource == "ExperimentTrialComponent":
        return "number", partial(_summary, rest)
    if head == "parameters" and resource == "ExperimentTrialComponent":
        return "any", partial(_parameter, rest)
    return None


def _tag(key: str, body: Body) -> list[Any]:
    return [tag["Value"] for tag in body.get("Tags", []) if tag["Key"] == key]


def _final_metric(name: str, body: Body) -> list[Any]:
    return [each["Value"] for each in body.get("FinalMetricDataList", []) if each["MetricName"] == name]


def _summary(name: str, body: Body) -> list[Any]:
    """A statistic of a trial component's metric, by default the last value: `accuracy.Max` or `accuracy`."""
    metrics = {each["MetricName"]: each for each in body.get("Metrics", [])}
    parts = STATISTIC.fullmatch(name)
    found, statistic = metrics.get(name), "Last"
    if found is None and parts:
        found, statistic = metrics.get(parts[1]), STATISTICS[parts[2].lower()]
    return [found[statistic]] if found and statistic in found else []


def _parameter(name: str, body: Body) -> list[Any]:
    found = body.get("Parameters", {}).get(name, {})
    return [found[field] for field in ("NumberValue", "StringValue") if field in found]


def _walk(shape: Shape, parts: list[str]) -> tuple[str, Callable[[Body], list[Any]]] | None:
    """Type and values of what the parts lead to from a shape; None if they lead nowhere."""
    if isinstance(shape, ListShape):
        below = _walk(shape.member, parts)
        return below and (below[0], partial(_each, below[1]))
    if not parts:
        return TYPES.get(shape.type_name, "whole"), lambda value: [value]
    if isinstance(shape, StructureShape):
        member = next((name for name in shape.members if name.lower() == parts[0].lower()), None)
        below = _walk(shape.members[member], parts[1:]) if member else None
        return below and (below[0], partial(_member, str(member), below[1]))
    if isinstance(shape, MapShape):
        return _walk_map(shape, parts)
    return None


def _walk_map(shape: MapShape, parts: list[str]) -> tuple[str, Callable[[Body], list[Any]]] | None:
    """A value by its key, which may have dots; of a structure a field of it, by default its Value."""
    if not isinstance(shape.value, StructureShape):
        return "any", partial(_member, ".".join(parts), lambda value: [value])
    fields = {name.lower(): name for name in shape.value.members}
    field = fields.get(parts[-1].lower()) if len(parts) > 1 else None
    key = ".".join(parts[:-1] if field else parts)
    return "any", partial(_member, key, partial(_member, field or "Value", lambda value: [value]))


def _each(inner: Callable[[Any], list[Any]], values: list[Any]) -> list[Any]:
    return [found for value in values for found in inner(value)]


def _member(name: str, inner: Callable[[Any], list[Any]], value: Mapping[str, Any]) -> list[Any]:
    return inner(value[name]) if name in value else []


def leaves(value: Any) -> Iterator[str]:
    """All texts in a structure, its keys included."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield str(value)


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")
