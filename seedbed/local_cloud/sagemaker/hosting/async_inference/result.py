"""How an asynchronous invocation ended."""

from dataclasses import dataclass
from pathlib import Path

COMPLETED, FAILED = "Completed", "Failed"


class Postponed(Exception):
    """An invocation that can't have a result now and stays in the queue."""


@dataclass(frozen=True)
class Result:
    """What became of an invocation. answer: the file with what the container said, None if it said nothing.

    content_type: of the answer, empty if it has none. reason: why it failed, empty if it did not.
    """

    answer: Path | None = None
    content_type: str = ""
    reason: str = ""

    @property
    def status(self) -> str:
        return FAILED if self.reason else COMPLETED
