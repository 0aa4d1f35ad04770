"""How far a stack's run is, by the API alone: no permission but that to ask is needed."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import SeedbedError
from .stack import Stack
from .watch import ENDED, STAGES, StageProgress, best_so_far

POLL_SECONDS, POLL_SECONDS_ON_AWS = 1, 5
FAILURES = 5
"""So many answers in a row may be errors before following a run ends."""
TRIAL_STAGES = {"Tuning": "tune", "FineTuning": "fine-tune"}
TRIAL_ENDED = {"Completed", "Failed", "Stopped"}


@dataclass(frozen=True)
class Status:
    """The run in progress, else the latest one, as the API tells it; None before the first. `pending` waits for one."""

    run: dict[str, Any] | None
    pending: bool = False

    @property
    def in_progress(self) -> bool:
        """Whether a run is in progress."""
        return bool(self.run and self.run["state"] not in ENDED)


def current(stack: Stack) -> Status:
    """The present status."""
    listed = stack.get("/runs")
    runs = listed["runs"]
    shown = next((run for run in runs if run["state"] not in ENDED), runs[0] if runs else None)
    return Status(stack.get(f"/runs/{shown['run_id']}") if shown else None, bool(listed["pending"]))


def follow(stack: Stack) -> Iterator[Status]:
    """Yields the status until the run has ended: the one in progress, or the one that uploads wait for."""
    status = current(stack)
    followed, failures = "", 0
    while True:
        yield status
        if status.in_progress and status.run:
            followed = status.run["run_id"]
        elif followed or not status.pending:
            return
        time.sleep(POLL_SECONDS if stack.endpoint else POLL_SECONDS_ON_AWS)
        try:
            status = Status(stack.get(f"/runs/{followed}")) if followed else current(stack)
            failures = 0
        except SeedbedError:  # a server that is restarted or busy for a moment
            failures += 1
            if failures == FAILURES:
                raise


def stage_of(status: Status) -> StageProgress:
    """How far the run's stage is; `settle` while uploads wait for a run."""
    run = status.run
    if not run or run["state"] in ENDED:
        return StageProgress("settle", note="waiting for the uploads to end")
    stage = TRIAL_STAGES.get(run["state"])
    if stage is None:
        return StageProgress(STAGES[run["state"]])
    done = [trial for trial in run["trials"] if trial["stage"] == stage and trial["status"] in TRIAL_ENDED]
    scores = [trial["objective"] for trial in done if trial["objective"] is not None]
    return StageProgress(stage, len(done), trials_of(run["plan"], stage), best_so_far(max(scores)) if scores else "")


def trials_of(plan: Mapping[str, Any], stage: str) -> int:
    """How many training jobs the plan has a stage run; several heads may share one."""
    if stage == "fine-tune":
        return int(plan["fine_tuning"]["trials"])
    return math.ceil(int(plan["trials"]) / int(plan.get("heads_per_job", 1)))
