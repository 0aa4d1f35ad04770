"""The thumbnails of a run's images, which are all in one picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Thumbnails:
    """Squares of `side` pixels, row by row with `columns` in each: that of `files[n]` is number n.

    `samples` are a few files of each of the first labels.
    """

    side: int = 0
    columns: int = 1
    files: tuple[str, ...] = ()
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return -(-len(self.files) // self.columns)

    @cached_property
    def number_of(self) -> Mapping[str, int]:
        """The number of each file's thumbnail."""
        return {file: number for number, file in enumerate(self.files)}
