"""What the API answers about runs."""

from dataclasses import dataclass, fields, make_dataclass
from datetime import datetime
from typing import Any

from ...domain.job import Progress
from ...domain.results.trial import Trial
from ...domain.run import Run, RunState
from ...domain.settling import PendingChange
from .models import Model


@dataclass(frozen=True)
class RunInShort:
    """A run in short; `notice` says what it waits for, or why it departed from its plan.

    `cost_usd` is what it has cost so far, and `expected_usd` what it was expected to cost when it started, from and to,
    null if it costs nothing. `notified` is whether anybody could have heard of its end, null until that was announced.
    `request_id` is that of the request which it was started for, null if an upload started it.
    """

    run_id: str
    state: RunState
    created_at: datetime
    ended_at: datetime | None
    images: int | None
    test_accuracy: float | None
    won: bool
    cost_usd: float
    expected_usd: tuple[float, float] | None
    reason: str | None
    notice: str | None
    notified: bool | None
    request_id: str | None


@dataclass(frozen=True)
class RunList:
    """Runs, newest first, and the change that waits for a run; `next` is the cursor of older runs, if there are any."""

    runs: tuple[RunInShort, ...]
    pending: PendingChange | None
    next: str | None


ANSWERED_OTHERWISE = {"best_trial", "waits_for", "delay"}
OF_THE_RUN = [(field.name, field.type) for field in fields(Run) if field.name not in ANSWERED_OTHERWISE]
RunInFull: Any = make_dataclass(
    "RunInFull",
    [*OF_THE_RUN, ("trials", tuple[Trial, ...]), ("progress", Progress | None)],
    bases=(Model,),
    frozen=True,
    kw_only=True,
)
RunInFull.__doc__ = "A run in full: its model, what is recorded of it, its trials, and how far its processing job is."
