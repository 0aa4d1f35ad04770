"""What the list of runs shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..answers.runs import RunInShort
from ..words import count, dollars, moment, percent, took


@dataclass(frozen=True)
class Row:
    """A run in a line; `says` is why it ended without a model, or what it waits for."""

    run_id: str
    state: str
    chip: str
    started: str
    took: str
    images: str
    accuracy: str
    cost: str
    says: str


def rows(runs: Sequence[RunInShort]) -> tuple[Row, ...]:
    """The runs in the order in which the API lists them, newest first."""
    return tuple(row(run) for run in runs)


def row(run: RunInShort) -> Row:
    """One run's line."""
    seconds = (run.ended_at - run.created_at).total_seconds() if run.ended_at else None
    return Row(
        run_id=run.run_id,
        state="New best" if run.won else run.state,
        chip=chip(run),
        started=moment(run.created_at),
        took=took(seconds),
        images=count(run.images),
        accuracy=percent(run.test_accuracy),
        cost=dollars(run.cost_usd) if run.cost_usd else "",
        says=run.reason or run.notice or "",
    )


def chip(run: RunInShort) -> str:
    """How the run's state is marked: the class of a chip."""
    if run.won:
        return "best"
    if run.in_progress:
        return "active"
    return "failed" if run.state in {"Failed", "Refused"} else ""
