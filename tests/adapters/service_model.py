"""What botocore's service model says of a request beyond its types: lengths, limits, patterns, enumerations."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

UNICODE_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


def problems(value: Any, shape: Any, path: str = "request") -> Iterator[str]:
    """Where a request, whose types are right, breaks what its shape demands."""
    yield from (f"{path}: {problem}" for problem in breaches(value, shape.metadata))
    for name, member, form in parts(value, shape):
        yield from problems(member, form, f"{path}.{name}")


def parts(value: Any, shape: Any) -> Iterator[tuple[str, Any, Any]]:
    if shape.type_name == "structure":
        yield from ((name, member, shape.members[name]) for name, member in value.items())
    elif shape.type_name == "list":
        yield from ((str(index), item, shape.member) for index, item in enumerate(value))
    elif shape.type_name == "map":
        yield from ((name, item, shape.value) for name, item in value.items())


def breaches(value: Any, rules: Mapping[str, Any]) -> Iterator[str]:
    size = value if isinstance(value, int | float) else len(value)
    if not rules.get("min", size) <= size <= rules.get("max", size):
        yield f"{value!r} has not the size {rules}"
    if isinstance(value, str) and not re.fullmatch(python_pattern(rules.get("pattern", ".*")), value):
        yield f"{value!r} does not match {rules['pattern']}"
    if value not in rules.get("enum", [value]):
        yield f"{value!r} is none of {rules['enum']}"


def python_pattern(pattern: str) -> str:
    for theirs, ours in UNICODE_CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return pattern
