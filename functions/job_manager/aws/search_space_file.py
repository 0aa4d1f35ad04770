"""The file with the ranges that a person chooses, read with the suspicion that what people write deserves."""

import codecs
from typing import Annotated, Literal

import msgspec

from ..domain.dataset import SEARCH_SPACE_FILE
from ..domain.errors import RunRefused
from ..domain.ranges import NAME_SHOWN, STAGES, GivenRange, GivenRanges
from .events import UNREADABLE

LARGEST_FILE = 64 * 1024
MOST_VALUES = 30
"""How many values AMT takes in a categorical range."""
WHOLE = '{"heads": {"learning_rate": {"low": 0.001, "high": 0.01, "scale": "log"}}, "fine_tuning": {}}'
FORMS = (
    '{"low": …, "high": …}, with "scale": "log" or "linear" if wanted, {"values": [up to 30 numbers]}, or {"value": …}'
)

Values = Annotated[list[int | float], msgspec.Meta(min_length=1, max_length=MOST_VALUES)]


class RangeInFile(msgspec.Struct, forbid_unknown_fields=True):
    """One range in the file; `form` has the one GivenRange that it may mean."""

    low: int | float | None = None
    high: int | float | None = None
    scale: Literal["linear", "log"] | None = None
    values: Values | None = None
    value: int | float | None = None

    def form(self) -> GivenRange | None:
        """The range that is given; None for none, half of one or several."""
        ends = (self.low, self.high, self.scale)
        if self.low is not None and self.high is not None and self.values is None and self.value is None:
            return GivenRange(low=self.low, high=self.high, logarithmic=self.scale == "log")
        if any(end is not None for end in ends) or (self.values is None) is (self.value is None):
            return None
        return GivenRange(values=tuple(self.values or ()), value=self.value)


def read_ranges(body: bytes) -> GivenRanges:
    """The ranges in the file's content. Raises RunRefused, with a sentence about what is wrong where."""
    if len(body) > LARGEST_FILE:
        raise RunRefused(f"{SEARCH_SPACE_FILE} is larger than {LARGEST_FILE // 1024} KiB.")
    try:
        stages = msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8), type=dict[str, dict[str, msgspec.Raw]])
    except UNREADABLE as error:
        raise RunRefused(f"{SEARCH_SPACE_FILE} must be JSON of the form {WHOLE}: {error}.") from error
    for stage in stages:
        if stage not in STAGES:
            raise RunRefused(f"{SEARCH_SPACE_FILE} can't have {stage[:NAME_SHOWN]!r}, but only {' and '.join(STAGES)}.")
    return {
        stage: {name: read_range(f"{stage}.{name[:NAME_SHOWN]}", raw) for name, raw in ranges.items()}
        for stage, ranges in stages.items()
    }


def read_range(title: str, raw: msgspec.Raw) -> GivenRange:
    """The range of the hyperparameter `title`."""
    try:
        given = msgspec.json.decode(raw, type=RangeInFile).form()
    except UNREADABLE:
        given = None
    if given is None:
        raise RunRefused(f"In {SEARCH_SPACE_FILE}, {title} must be {FORMS}.")
    return given
