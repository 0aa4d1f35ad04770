"""Pages of what is listed or found. A NextToken names the last item of its page, and the next one begins after it."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Invalid
from ..kinds import Body

PAGE = 10


@dataclass(frozen=True, order=True)
class Place:
    """Where an item stands in ascending order: numbers before texts, then by name."""

    is_text: bool
    number: float
    text: str
    name: str

    @classmethod
    def of(cls, value: Any, name: str) -> "Place":
        """The place of an item with this value."""
        if isinstance(value, int | float):
            return cls(False, float(value), "", name.lower())
        return cls(True, 0.0, str(value), name.lower())


def page(
    items: Sequence[tuple[Any, str, Any]], asked: str, request: Body, *, down: bool
) -> tuple[list[Any], dict[str, str]]:
    """One page of the items, each given as (value to sort by, name, item), and its NextToken if there are more.

    Items whose value is None come last. asked: what a token is good for. Raises Invalid for a token of another request.
    """
    placed = sorted(
        ((Place.of(value, name), item) for value, name, item in items if value is not None),
        key=lambda pair: pair[0],
        reverse=down,
    )
    rest = sorted(
        ((Place.of("", name), item) for value, name, item in items if value is None), key=lambda pair: pair[0]
    )
    found = [(0, place, item) for place, item in placed] + [(1, place, item) for place, item in rest]
    if "NextToken" in request:
        group, last = _read(request["NextToken"], asked)
        found = [each for each in found if _is_after(each[0], each[1], group, last, down=down)]
    size = request.get("MaxResults", PAGE)
    items_of_page = [item for _, _, item in found[:size]]
    if len(found) <= size:
        return items_of_page, {}
    group, place, _ = found[size - 1]
    return items_of_page, {"NextToken": _token(asked, group, place)}


def _is_after(group: int, place: Place, last_group: int, last: Place, *, down: bool) -> bool:
    if group != last_group:
        return group > last_group
    return place < last if down and group == 0 else place > last


def _token(asked: str, group: int, place: Place) -> str:
    content = [asked, group, place.is_text, place.number, place.text, place.name]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _read(token: str, asked: str) -> tuple[int, Place]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, RecursionError):
        content = None
    match content:
        case [str(given), 0 | 1 as group, bool(is_text), int() | float() as number, str(text), str(name)] if (
            given == asked
        ):
            return group, Place(is_text, float(number), text, name)
    raise Invalid("The NextToken is not one that this operation gave in this order. Begin again without it.")
