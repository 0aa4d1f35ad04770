"""The table of runs in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from job_manager.domain.errors import Conflict, NotFound
from job_manager.domain.listing import Listing
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.domain.run_request import RunRequest
from job_manager.domain.settling import CLOCKS_DIFFER, PendingChange


class MemoryRuns:
    """Implements `ports.Runs`; `before_move`, where set, is called once, just before the next move.

    `reminded` are the runs for which `remind` was called.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._trials: dict[str, dict[str, Trial]] = {}
        self._open: str | None = None
        self._champion: str | None = None
        self._pending: PendingChange | None = None
        self._listing: Listing | None = None
        self._unnotified: list[str] = []
        self.reminded: list[str] = []
        self.before_move: Callable[[], None] | None = None

    def note_change(self, at: datetime) -> PendingChange:
        if self._pending is None:
            self._pending = PendingChange(at, at)
        elif self._pending.is_ahead_of(at + CLOCKS_DIFFER):
            self._pending = replace(self._pending, first_at=at, last_at=at)
        self._pending = replace(self._pending, last_at=max(at, self._pending.last_at))
        return self._pending

    def pending(self) -> PendingChange | None:
        return self._pending

    def request(self, request: RunRequest) -> PendingChange:
        if self._pending and self._pending.request:
            raise Conflict("Another run has been asked for already.")
        first = self._pending.first_at if self._pending else request.asked_at
        self._pending = PendingChange(first, request.asked_at, request)
        return self._pending

    def clear_pending(self, seen: PendingChange) -> None:
        if self._pending and self._pending.last_at == seen.last_at:
            self._pending = None
        elif self._pending and self._pending.request == seen.request:
            self._pending = replace(self._pending, request=None)

    def listing(self) -> Listing | None:
        return self._listing

    def save_listing(self, listing: Listing) -> None:
        self._listing = listing

    def create(self, run: Run) -> None:
        if run.run_id in self._runs or (self._open and not run.state.ended):
            raise Conflict(f"Run {run.run_id} exists, or another run is open.")
        if run.won:
            self._meets_champion(run)
            self._champion = run.run_id
        self._runs[run.run_id] = run
        if run.state.ended:
            self._unnotified.append(run.run_id)
        else:
            self._open = run.run_id

    def move(self, run: Run, came_from: RunState) -> None:
        happening, self.before_move = self.before_move, None
        if happening:
            happening()
        if self.get(run.run_id).state is not came_from:
            raise Conflict(f"Run {run.run_id} has moved on.")
        if run.won:
            self._meets_champion(run)
        self._runs[run.run_id] = run
        if run.state.ended:
            self._open = None
            self._unnotified.append(run.run_id)
        if run.won:
            self._champion = run.run_id

    def _meets_champion(self, run: Run) -> None:
        if self._champion != run.champion_before:
            raise Conflict(f"Run {run.run_id} was not compared with the champion.")

    def set_champion(self, run: Run) -> None:
        """Make a completed run the champion, whatever the present one."""
        self._runs[run.run_id] = run
        self._champion = run.run_id

    def get(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise NotFound(f"There is no run {run_id}. List those that there are: seedbed runs")
        return self._runs[run_id]

    def open_run(self) -> Run | None:
        return self.get(self._open) if self._open else None

    def recent(self, limit: int, before: Run | None = None) -> Sequence[Run]:
        newest = sorted(self._runs.values(), key=lambda run: run.created_at, reverse=True)
        return [run for run in newest if before is None or run.created_at < before.created_at][:limit]

    def since(self, at: datetime) -> Iterator[Run]:
        return (run for run in list(self._runs.values()) if run.created_at >= at)

    def champion(self) -> Run | None:
        return self.get(self._champion) if self._champion else None

    def save_trial(self, run_id: str, trial: Trial) -> None:
        known = self._trials.setdefault(run_id, {})
        if trial.ended or trial.name not in known or not known[trial.name].ended:
            known[trial.name] = trial

    def trials(self, run_id: str) -> Sequence[Trial]:
        return [trial for _, trial in sorted(self._trials.get(run_id, {}).items())]

    def unnotified(self) -> Sequence[str]:
        return list(self._unnotified)

    def announced(self, run: Run) -> None:
        if run.run_id in self._runs and self.get(run.run_id).state is run.state:
            self._runs[run.run_id] = run

    def notified(self, run_id: str) -> None:
        self._unnotified = [known for known in self._unnotified if known != run_id]

    def remind(self, run_id: str, at: datetime) -> None:
        self.reminded.append(run_id)
