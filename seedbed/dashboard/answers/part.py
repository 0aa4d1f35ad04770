"""The base of the API's answers."""

import msgspec

Interval = tuple[float, float]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer. What it holds beyond these fields is ignored."""
