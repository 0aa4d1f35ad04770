"""How far a stack's run is, by the API alone: no permission but that to ask is needed."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..errors import SeedbedError
from .stage import ENDED, STAGES, StageProgress, best_so_far

POLL_SECONDS, POLL_SECONDS_ON_AWS = 1, 5
FAILURES = 5
"""So many answers in a row may be errors before following a run ends."""
PATIENCE_SECONDS, PATIENCE_SECONDS_ON_AWS = 30, 90
"""How long an upload may take to be noted by the stack."""
TRIAL_STAGES = {"Tuning": "tune", "Refitting": "refit", "FineTuning": "fine-tune"}
TRIAL_ENDED = {"Completed", "Failed", "Stopped"}

Look = TypeVar("Look")


class Api(Protocol):
    """Answers the API's GET requests. `endpoint` is None on AWS."""

    @property
    def endpoint(self) -> str | None:
        """The local cloud's address."""

    def get(self, path: str) -> dict[str, Any]:
        """The answer to a path. Raises SeedbedError if there is none."""


@dataclass(frozen=True)
class Status:
    """The run in progress, else the latest one, as the API tells it; None before the first. `pending` waits for one."""

    run: dict[str, Any] | None
    pending: bool = False

    @property
    def in_progress(self) -> bool:
        """Whether a run is in progress."""
        return bool(self.run and self.run["state"] not in ENDED)


def current(api: Api) -> Status:
    """The present status."""
    return status_in(api, api.get("/runs"))


def status_in(api: Api, listed: Mapping[str, Any]) -> Status:
    """The status by a list of runs, as `/runs` answers it; the run itself is asked for."""
    runs = listed["runs"]
    shown = next((run for run in runs if run["state"] not in ENDED), runs[0] if runs else None)
    return Status(api.get(f"/runs/{shown['run_id']}") if shown else None, bool(listed["pending"]))


def follow(api: Api, run_id: str = "") -> Iterator[Status]:
    """Yields the status until the run has ended: this one, else the one in progress or that uploads wait for."""
    followed = run_id

    def look() -> Status:
        return Status(api.get(f"/runs/{followed}")) if followed else current(api)

    for status in looks(api, look):
        yield status
        if status.in_progress and status.run:
            followed = status.run["run_id"]
        elif followed or not status.pending:
            return


def next_run(api: Api, known: Collection[str]) -> Iterator[Status]:
    """Yields the status until a run begins that is not among the ids `known`: the last status is of that run.

    If uploads need no run, as their images had one already, the last status is of another run, or of none. `known` are
    the runs that had begun when the uploads had ended, so the next one is of all of them.
    """
    patience = PATIENCE_SECONDS if api.endpoint else PATIENCE_SECONDS_ON_AWS
    noted, nothing_since = False, time.monotonic()
    for listed in looks(api, lambda: api.get("/runs")):
        fresh = [run["run_id"] for run in listed["runs"] if run["run_id"] not in known]
        if fresh:
            yield Status(api.get(f"/runs/{fresh[-1]}"), bool(listed["pending"]))
            return
        status = status_in(api, listed)
        yield status
        if listed["pending"] or status.in_progress:
            noted, nothing_since = noted or bool(listed["pending"]), time.monotonic()
        elif time.monotonic() - nothing_since > (POLL_SECONDS_ON_AWS if noted else patience):
            return


def looks(api: Api, look: Callable[[], Look]) -> Iterator[Look]:
    """What `look` finds, again and again. Raises its SeedbedError at once, later after so many in a row."""
    yield look()
    failures = 0
    while True:
        time.sleep(POLL_SECONDS if api.endpoint else POLL_SECONDS_ON_AWS)
        try:
            found = look()
        except SeedbedError:  # a server that is restarted or busy for a moment
            failures += 1
            if failures == FAILURES:
                raise
            continue
        failures = 0
        yield found


def stage_of(status: Status) -> StageProgress:
    """How far the run's stage is; `settle` while uploads wait for a run."""
    run = status.run
    if not run or run["state"] in ENDED:
        return StageProgress("settle", note="waiting for the uploads to end")
    stage = STAGES.get(run["state"], str(run["state"]))  # a later release's stack may know others
    if run["state"] not in TRIAL_STAGES:
        return StageProgress(stage)
    done = [trial for trial in run["trials"] if trial["stage"] == stage and trial["status"] in TRIAL_ENDED]
    best = best_objective(run)
    return StageProgress(stage, len(done), trials_of(run["plan"], stage), best_so_far(best) if best is not None else "")


def best_objective(run: Mapping[str, Any]) -> float | None:
    """The best validation accuracy of the present stage's trials that have ended, a share; None before the first."""
    stage = STAGES.get(run["state"])
    ended = (trial for trial in run["trials"] if trial["stage"] == stage and trial["status"] in TRIAL_ENDED)
    return max((trial["objective"] for trial in ended if trial["objective"] is not None), default=None)


def trials_of(plan: Mapping[str, Any], stage: str) -> int:
    """How many training jobs the plan has a stage run; several heads may share one."""
    if stage == "fine-tune":
        return int(plan["fine_tuning"]["trials"])
    if stage == "refit":
        return 1
    return math.ceil(int(plan["trials"]) / int(plan.get("heads_per_job", 1)))
