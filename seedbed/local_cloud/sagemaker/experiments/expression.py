"""Search expressions: read once, with everything wrong in them refused, then asked of each record."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..errors import Invalid
from ..kinds import Body
from . import properties
from .properties import Property, leaves

Test = Callable[[Body], bool]
MOST_ELEMENTS = 20
MOST_LEVELS = 20
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda one, other: one > other,
    "GreaterThanOrEqualTo": lambda one, other: one >= other,
    "LessThan": lambda one, other: one < other,
    "LessThanOrEqualTo": lambda one, other: one <= other,
}
OF_TEXT = ("Contains", "In")
MANY_CONTAINS = {
    "Experiment": ("displayname", "experimentname", "tags"),
    "ExperimentTrial": ("displayname", "trialname", "tags"),
    "ExperimentTrialComponent": (
        "displayname",
        "trialcomponentname",
        "tags",
        "inputartifacts",
        "outputartifacts",
    ),
}
"""Where Contains may be used more than once."""


def read(resource: str, expression: Body, level: int = 1) -> Test:
    """What an expression asks of a record. Raises Invalid, naming what is wrong."""
    filters, nested = expression.get("Filters", []), expression.get("NestedFilters", [])
    inner = expression.get("SubExpressions", [])
    count = len(filters) + len(nested) + len(inner)
    if count == 0:
        raise Invalid("A SearchExpression needs at least one of Filters, NestedFilters and SubExpressions.")
    if count > MOST_ELEMENTS or level > MOST_LEVELS:
        raise Invalid(f"A SearchExpression can have at most {MOST_ELEMENTS} elements and {MOST_LEVELS} levels.")
    check_contains(resource, filters)
    tests = [read_filter(resource, each) for each in filters]
    tests += [read_nested(resource, each) for each in nested]
    tests += [read(resource, each, level + 1) for each in inner]
    whether = any if expression.get("Operator") == "Or" else all
    return lambda body: whether(test(body) for test in tests)


def check_contains(resource: str, filters: list[Body]) -> None:
    """Raises Invalid, in AWS's words, if Contains is used too often."""
    free = MANY_CONTAINS.get(resource, ())
    used = [each for each in filters if each.get("Operator") == "Contains"]
    if len([each for each in used if each["Name"].lower().split(".")[0] not in free]) > 1:
        raise Invalid("'CONTAINS' operator usage limit of 1 exceeded.")


def read_filter(resource: str, given: Body) -> Test:
    """What one filter asks of a record."""
    found = properties.find(resource, given["Name"])
    test = read_test(found, given)
    return lambda body: test(found.values(body))


def read_nested(resource: str, given: Body) -> Test:
    """What a nested filter asks: that one item of a list meets all its filters."""
    listed = given["NestedPropertyName"]
    properties.find(resource, listed)
    tests = []
    for each in given["Filters"]:
        name = each["Name"]
        full = name if name.lower().startswith(f"{listed.lower()}.") else f"{listed}.{name}"
        found = properties.find(resource, full)
        tests.append((found, read_test(found, each)))
    path = listed.split(".")

    def test(body: Body) -> bool:
        return any(all(one(found.values(item)) for found, one in tests) for item in items(body, path))

    return test


def items(body: Body, path: list[str]) -> list[Body]:
    """A record once for each item of the list at a path, with that item alone in it."""
    member = next((name for name in body if name.lower() == path[0].lower()), None)
    if member is None:
        return []
    value = body[member]
    if len(path) > 1:
        return [{member: inner} for inner in items(value, path[1:])] if isinstance(value, dict) else []
    return [{member: [item]} for item in value] if isinstance(value, list) else [{member: value}]


def read_test(found: Property, given: Body) -> Callable[[list[Any]], bool]:
    """What a filter asks of a property's values. Raises Invalid if the operator or value does not fit the property."""
    operator, text = given.get("Operator", "Equals"), given.get("Value")
    if operator == "Exists":
        return bool
    if operator == "NotExists":
        return lambda values: not values
    if text is None:
        raise Invalid(f"The filter on {found.name} with the operator {operator} needs a Value.")
    if operator in OF_TEXT:
        return of_text(found, operator, text)
    if operator in ORDERED:
        return ordered(found, operator, text)
    equal = equality(found, text)
    if operator == "NotEquals":
        return lambda values: not any(map(equal, values))
    return lambda values: any(map(equal, values))


def of_text(found: Property, operator: str, text: str) -> Callable[[list[Any]], bool]:
    """Contains and In."""
    if found.type in {"number", "timestamp", "boolean"}:
        raise Invalid(f"The operator {operator} is for text, and {found.name} is a {found.type}.")
    if operator == "Contains":
        return lambda values: any(text in leaf for value in values for leaf in leaves(value))
    choices = {choice.strip() for choice in text.split(",")}
    return lambda values: any(str(value) in choices for value in values)


def ordered(found: Property, operator: str, text: str) -> Callable[[list[Any]], bool]:
    """The operators that compare sizes, which are not for text."""
    compare = ORDERED[operator]
    if found.type == "timestamp":
        at = timestamp(found, text)
        return lambda values: any(compare(value, at) for value in values)
    if found.type not in {"number", "any"}:
        raise Invalid(f"The operator {operator} is not for {found.type}, which {found.name} is.")
    wanted = number(text)
    if wanted is None:
        raise Invalid(f"The Value of {found.name} must be a number for the operator {operator}.")
    return lambda values: any(compare(size, wanted) for size in sizes(values, wanted))


def equality(found: Property, text: str) -> Callable[[Any], bool]:
    """Whether a value equals the text, as the property's type has it."""
    if found.type == "timestamp":
        at = timestamp(found, text)
        return lambda value: math.floor(value) == at
    if found.type == "boolean":
        if text.lower() not in {"true", "false"}:
            raise Invalid(f"The Value of {found.name} must be true or false.")
        return lambda value: bool(value) is (text.lower() == "true")
    wanted = number(text)
    if found.type == "number":
        if wanted is None:
            raise Invalid(f"The Value of {found.name} must be a number.")
        return lambda value: value == wanted
    if found.type == "any" and wanted is not None:
        return lambda value: str(value) == text or wanted in sizes([value], wanted)
    return lambda value: str(value) == text


def sizes(values: list[Any], wanted: float) -> list[float]:
    """The values that are numbers. A text that is a number counts without its decimals if a whole number is wanted."""
    found = []
    for value in values:
        size = number(str(value))
        if size is not None:
            found.append(math.trunc(size) if isinstance(wanted, int) and isinstance(value, str) else size)
    return found


def number(text: str) -> float | None:
    """The number that a text is, an int for a whole one; None if it is none or not finite."""
    try:
        return int(text) if text.lstrip("+-").isdecimal() else _finite(float(text))
    except ValueError:
        return None


def timestamp(found: Property, text: str) -> float:
    """The epoch seconds of a time in ISO 8601; without a zone it is UTC. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"The Value of {found.name} must be a time such as 2026-03-20T09:00:00.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
