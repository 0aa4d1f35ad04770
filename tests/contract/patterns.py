"""Event patterns as EventBridge and Lambda's event filters match them, as far as the template uses them."""

from typing import Any


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether an event has all that a pattern asks for."""
    return all(
        any(matches(choice, event) for choice in wanted)
        if name == "$or"
        else isinstance(event, dict) and name in event and part_matches(wanted, event[name])
        for name, wanted in pattern.items()
    )


def part_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, value)
    return any(leaf_matches(choice, value) for choice in wanted)


def leaf_matches(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(wanted == value)
    ((operator, argument),) = wanted.items()
    if operator == "prefix":
        return isinstance(value, str) and value.startswith(argument)
    if operator == "anything-but":
        return not leaf_matches(argument, value)
    raise NotImplementedError(operator)
