"""The bucket has settled: take a snapshot and start a run, unless this very dataset had one."""

from contextlib import suppress
from datetime import datetime
from itertools import count

from ..domain.cost import check_budget, check_month
from ..domain.dataset import DatasetReport, Snapshot, Split, take_snapshot
from ..domain.errors import Conflict, NotFound, RunRefused
from ..domain.plan import Plan
from ..domain.run import Run, RunState, run_id_of
from ..domain.settling import SettleRule
from ..ports import Ports, Runs
from .advance_run import advance_run

WARM_START_PARENTS = 5


def start_run(seen: datetime, ports: Ports, plan: Plan, rule: SettleRule) -> Run | None:
    """Start a run for the pending change, `seen` being the last upload the wake-up knew of; None where none is due."""
    pending = ports.runs.pending()
    if pending is None or ports.runs.open_run():
        return None
    now = ports.clock.now()
    wait, for_the_last = pending.wait(rule, now), seen >= pending.last_at
    if wait and not (for_the_last and pending.is_ahead_of(now)):  # then the wake-up itself has waited for long enough
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
            keep_as_begun(run.run_id, snapshot, ports)
            return None
    ports.runs.clear_pending(pending)
    return advance_run(run.run_id, ports, rule) if run else None


def keep_as_begun(run_id: str, snapshot: Snapshot, ports: Ports) -> None:
    """Have the bucket keep a run as who began it first did: what came second was just written over that."""
    with suppress(NotFound):
        ports.bucket.write_snapshot(ports.runs.get(run_id), snapshot)


def new_run(snapshot: Snapshot, ports: Ports, plan: Plan) -> Run | None:
    """The run that this snapshot should have, refused where it can't succeed; None if it had one."""
    if not snapshot.images and not snapshot.refused:
        return None
    reason = why_refused(snapshot, ports, plan)
    run_id, before = next_attempt(ports.runs, snapshot.version(plan))
    if before and not before.begins_again and (before.state is not RunState.REFUSED or reason):
        return notice_of_strays(snapshot, before, ports, plan)
    champion = ports.runs.champion()
    run = Run(
        run_id,
        plan,
        ports.clock.now(),
        content=snapshot.content(),
        strays=snapshot.strays(),
        warm_start_from=warm_start_parents(ports.runs, plan),
        champion_before=champion.run_id if champion else None,
    )
    if reason is None:
        return run
    return refused(run, snapshot, reason, ports)


def notice_of_strays(snapshot: Snapshot, before: Run, ports: Ports, plan: Plan) -> Run | None:
    """A refused run that names the files that can't be images, where `before` had these images but not these files."""
    if not snapshot.refused or before.strays == snapshot.strays():
        return None
    run_id, named = next_attempt(ports.runs, snapshot.strays())
    if named:
        return None
    files = len(snapshot.refused)
    reason = f"No image is new, and {files} {'file is' if files == 1 else 'files are'} refused."
    return refused(Run(run_id, plan, ports.clock.now(), strays=snapshot.strays()), snapshot, reason, ports)


def refused(run: Run, snapshot: Snapshot, reason: str, ports: Ports) -> Run:
    """The run at its end before it started, naming what of the snapshot can't be used."""
    report = DatasetReport(len(snapshot.images), 0, {label: Split() for label in snapshot.labels()})
    report = report.with_refused(snapshot.refused)
    return run.ended(RunState.REFUSED, ports.clock.now(), reason, dataset=report)


def why_refused(snapshot: Snapshot, ports: Ports, plan: Plan) -> str | None:
    """The sentence that refuses a run on this snapshot, if one does."""
    month = ports.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    try:
        snapshot.check(plan)
        check_budget(plan)
        check_month(plan, sum(run.cost_usd for run in ports.runs.since(month)))
    except RunRefused as error:
        return str(error)
    return None


def next_attempt(runs: Runs, version: str) -> tuple[str, Run | None]:
    """The first name of this dataset version that no run has, and the run of the name before."""
    before = None
    for attempt in count(1):
        run_id = run_id_of(version, attempt)
        try:
            before = runs.get(run_id)
        except NotFound:
            break
    return run_id, before


def warm_start_parents(runs: Runs, plan: Plan) -> tuple[str, ...]:
    """The latest completed runs over the same search space; AMT takes five at most and does not look at theirs."""
    completed = (run for run in runs.recent(50) if run.state is RunState.COMPLETED)
    searched = (plan.search_space, plan.backbones)
    same = [run.run_id for run in completed if (run.plan.search_space, run.plan.backbones) == searched]
    return tuple(same[:WARM_START_PARENTS])
