"""What becomes of each field of a request that creates or changes something: it is given, only noted, or refused.

A noted field is described as it was asked for, and has no effect here. docs/sagemaker.md shows this table, and a test
compares it with SageMaker's service model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Invalid
from .field import GIVEN
from .hosting import ENDPOINT, ENDPOINT_CONFIG, MODEL, UPDATE, WEIGHTS
from .jobs import PROCESSING_JOB, TRAINING_JOB, TUNING_JOB
from .registry import GROUP, PACKAGE, PACKAGE_UPDATE
from .transform import TRANSFORM_JOB

ITEM_NAMES = ("ChannelName", "InputName", "OutputName", "DefinitionName", "InstanceGroupName", "VariantName")
FIELDS = {
    "CreateTrainingJob": TRAINING_JOB,
    "CreateHyperParameterTuningJob": TUNING_JOB,
    "CreateProcessingJob": PROCESSING_JOB,
    "CreateTransformJob": TRANSFORM_JOB,
    "CreateModelPackageGroup": GROUP,
    "CreateModelPackage": PACKAGE,
    "UpdateModelPackage": PACKAGE_UPDATE,
    "CreateModel": MODEL,
    "CreateEndpointConfig": ENDPOINT_CONFIG,
    "CreateEndpoint": ENDPOINT,
    "UpdateEndpoint": UPDATE,
    "UpdateEndpointWeightsAndCapacities": WEIGHTS,
}


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Raises Invalid if the request asks for something that this endpoint can't give."""
    fields = FIELDS.get(operation, {})
    for path, value, item in _asked(request, "", ""):
        name = next((part for part in _prefixes(path) if part in fields), "")
        field = fields.get(name, GIVEN)
        if field.effect == "refused" and value not in field.taken:
            shown = f" {value}" if field.taken else ""
            where = f" in '{item}'" if item else ""
            raise Invalid(f"This endpoint can't take {name}{shown}{where}: {field.why}.")


def _asked(value: Any, path: str, item: str) -> Iterator[tuple[str, Any, str]]:
    """(path, value, name of the list's item) of what a request asks for: all but what is false, empty or zero."""
    if isinstance(value, Mapping):
        own = next((value[name] for name in ITEM_NAMES if name in value), item)
        for name, inner in value.items():
            yield from _asked(inner, f"{path}.{name}" if path else name, own)
    elif isinstance(value, list):
        for inner in value:
            yield from _asked(inner, path, item)
    elif value:
        yield path, value, item


def _prefixes(path: str) -> list[str]:
    """The path, and those of the structures that hold it, from the outermost."""
    names = path.split(".")
    return [".".join(names[:length]) for length in range(1, len(names) + 1)]
