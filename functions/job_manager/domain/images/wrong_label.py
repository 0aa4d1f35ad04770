"""Labels that are likely wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WrongLabel:
    """An image whose label is likely wrong; `suggested` is what other images speak for, `confidence` how strongly."""

    file: str
    label: str
    suggested: str
    confidence: float
