"""The bucket has settled: take a snapshot and start a run, unless this dataset version had one."""

from contextlib import suppress
from datetime import datetime
from itertools import count

from ..domain.cost import check_budget, check_month
from ..domain.dataset import DatasetReport, Snapshot, Split, take_snapshot
from ..domain.errors import Conflict, NotFound, RunRefused
from ..domain.plan import Plan
from ..domain.refusal import quota_notice
from ..domain.run import Run, RunState, run_id_of
from ..domain.settling import SettleRule
from ..ports import Ports, Runs
from .advance_run import advance_run
from .retry_run import is_repeated

WARM_START_PARENTS = 5
# How many training jobs a tuning job may have together with its parents, by the developer guide.
WARM_START_JOBS = 500


def start_run(seen: datetime, ports: Ports, plan: Plan, rule: SettleRule) -> Run | None:
    """Start a run for the pending change, or return None if none is due; `seen` is the wake-up's last known upload."""
    pending = ports.runs.pending()
    if pending is None or ports.runs.open_run():
        return None
    now = ports.clock.now()
    wait, for_the_last = pending.wait(rule, now), seen >= pending.last_at
    if wait and not (for_the_last and pending.is_ahead_of(now)):  # else the wake-up's own delay was enough
        if for_the_last:
            ports.timer.arm(pending, wait)
        return None
    snapshot = take_snapshot(ports.bucket.objects())
    run = new_run(snapshot, ports, plan)
    if run:
        ports.bucket.write_snapshot(run, snapshot)
        try:
            ports.runs.create(run)
        except Conflict:
            keep_first_snapshot(run.run_id, snapshot, ports)
            return None
    ports.runs.clear_pending(pending)
    return advance_run(run.run_id, ports, rule) if run else None


def keep_first_snapshot(run_id: str, snapshot: Snapshot, ports: Ports) -> None:
    """Write the run's snapshot again as the first function created it: the second one has just overwritten it."""
    with suppress(NotFound):
        ports.bucket.write_snapshot(ports.runs.get(run_id), snapshot)


def new_run(snapshot: Snapshot, ports: Ports, plan: Plan) -> Run | None:
    """The run that this snapshot needs, refused if it can't succeed; None if there was one."""
    if not snapshot.images and not snapshot.refused:
        return None
    reason = why_refused(snapshot, ports, plan)
    run_id, before = next_attempt(ports.runs, snapshot.version(plan))
    if before and not is_repeated(before, ports, plan) and (before.state is not RunState.REFUSED or reason):
        return run_for_refused_files(snapshot, before, ports, plan)
    champion = ports.runs.champion()
    run = Run(
        run_id,
        plan,
        ports.clock.now(),
        content=snapshot.content(),
        strays=snapshot.refused_digest(),
        warm_start_from=warm_start_parents(ports.runs, plan),
        champion_before=champion.run_id if champion else None,
        notice=quota_notice(plan),
        repeats=before.repeats + 1 if before and before.begins_again else 0,
    )
    if reason is None:
        return run
    return refused(run, snapshot, reason, ports)


def run_for_refused_files(snapshot: Snapshot, before: Run, ports: Ports, plan: Plan) -> Run | None:
    """A refused run that lists the refused files; None if there are none, or an earlier run listed them."""
    if not snapshot.refused or before.strays == snapshot.refused_digest():
        return None
    run_id, named = next_attempt(ports.runs, snapshot.refused_digest())
    if named:
        return None
    files = len(snapshot.refused)
    reason = f"There are no new images, and {files} {'file was' if files == 1 else 'files were'} refused."
    return refused(Run(run_id, plan, ports.clock.now(), strays=snapshot.refused_digest()), snapshot, reason, ports)


def refused(run: Run, snapshot: Snapshot, reason: str, ports: Ports) -> Run:
    """The run, ended before it started, with a report of the snapshot's refused files."""
    report = DatasetReport(len(snapshot.images), 0, {label: Split() for label in snapshot.labels()})
    report = report.with_refused(snapshot.refused)
    return run.ended(RunState.REFUSED, ports.clock.now(), reason, dataset=report)


def why_refused(snapshot: Snapshot, ports: Ports, plan: Plan) -> str | None:
    """Why a run on this snapshot is refused; None if it is not."""
    month = ports.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    try:
        snapshot.check(plan)
        check_budget(plan)
        check_month(plan, sum(run.cost_usd for run in ports.runs.since(month)))
    except RunRefused as error:
        return str(error)
    return None


def next_attempt(runs: Runs, version: str) -> tuple[str, Run | None]:
    """The first unused run name of this dataset version, and the run before it, if any."""
    before = None
    for attempt in count(1):
        run_id = run_id_of(version, attempt)
        try:
            before = runs.get(run_id)
        except NotFound:
            break
    return run_id, before


def warm_start_parents(runs: Runs, plan: Plan) -> tuple[str, ...]:
    """The latest completed runs with the same search space, as many as AMT's limits on parents and their jobs allow."""
    completed = (run for run in runs.recent(50) if run.state is RunState.COMPLETED)
    searched = (plan.search_space, plan.backbones)
    parents: list[str] = []
    jobs = plan.trials
    for run in completed:
        same = (run.plan.search_space, run.plan.backbones) == searched
        if same and len(parents) < WARM_START_PARENTS and jobs + run.plan.trials <= WARM_START_JOBS:
            parents.append(run.run_id)
            jobs += run.plan.trials
    return tuple(parents)
