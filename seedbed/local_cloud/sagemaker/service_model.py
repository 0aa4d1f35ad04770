"""SageMaker's service model, as botocore has it: which fields requests and answers have, and their rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from .errors import Invalid

# Unicode categories in the patterns of tags, always within a set of characters.
CATEGORIES = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"}

type_checks: dict[str, Callable[[Any], bool]] = {
    "structure": lambda value: isinstance(value, dict),
    "map": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "timestamp": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


@cache
def operation(name: str, service: str = "sagemaker") -> OperationModel:
    """The model of one operation. Raises botocore's OperationNotFoundError."""
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def validate(name: str, request: dict[str, Any], service: str = "sagemaker") -> dict[str, Any]:
    """The request without fields that the model doesn't have. Raises Invalid, naming each field that breaks a rule."""
    shape = operation(name, service).input_shape
    assert shape is not None
    faults = list(_faults(shape, request, ""))
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        raise Invalid(f"{len(faults)} validation {noun} detected: {'; '.join(faults)}")
    known: dict[str, Any] = _known(shape, request)
    return known


def answer(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `body` that the operation's output has."""
    shape = operation(name).output_shape
    return {member: body[member] for member in shape.members if member in body} if shape else {}


def summary(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `body` that one item of the listing operation's answer has."""
    shape = operation(name).output_shape
    assert shape is not None
    listed = next(member for member in shape.members.values() if isinstance(member, ListShape)).member
    assert isinstance(listed, StructureShape)
    return {member: body[member] for member in listed.members if member in body}


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not type_checks.get(shape.type_name, lambda _: True)(value):
        yield f"Value at '{path or 'request'}' failed to satisfy constraint: Member must be of type {shape.type_name}"
        return
    for rule in _broken_rules(shape, value):
        yield f"Value {_short(value)} at '{path}' failed to satisfy constraint: Member must {rule}"
    if isinstance(shape, StructureShape):
        yield from _member_faults(shape, value, path)
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value, 1):
            yield from _faults(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{path}.{key}.key")
            yield from _faults(shape.value, item, f"{path}.{key}.value")


def _member_faults(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for member in shape.required_members:
        if value.get(member) is None:
            yield f"Value null at '{_join(path, member)}' failed to satisfy constraint: Member must not be null"
    for member, member_shape in shape.members.items():
        if value.get(member) is not None:
            yield from _faults(member_shape, value[member], _join(path, member))


def _broken_rules(shape: Shape, value: Any) -> Iterator[str]:
    rules = shape.metadata
    measured = value if isinstance(value, int | float) else len(value) if hasattr(value, "__len__") else None
    term = "have length" if hasattr(value, "__len__") else "have value"
    if measured is not None and "min" in rules and measured < rules["min"]:
        yield f"{term} greater than or equal to {rules['min']}"
    if measured is not None and "max" in rules and measured > rules["max"]:
        yield f"{term} less than or equal to {rules['max']}"
    elif "pattern" in rules and not _matches(rules["pattern"], value):
        yield f"satisfy regular expression pattern: {rules['pattern']}"
    choices = getattr(shape, "enum", None)
    if choices and value not in choices:
        yield f"satisfy enum value set: [{', '.join(choices)}]"


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for the few patterns (of Athena) that Python's regular expressions don't support."""
    for name, characters in CATEGORIES.items():
        pattern = pattern.replace(name, characters)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _known(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _known(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_known(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _known(shape.value, item) for key, item in value.items()}
    return value


def _join(path: str, member: str) -> str:
    name = member[0].lower() + member[1:]
    return f"{path}.{name}" if path else name


def _short(value: Any) -> str:
    text = str(value)
    return f"'{text}'" if len(text) <= 100 else f"'{text[:100]}…'"
