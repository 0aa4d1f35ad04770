"""The bucket has settled: take a snapshot and start a run, unless this dataset version had one."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count

from ..domain import layout
from ..domain.cost import check_budget, check_month
from ..domain.costs.expectation import expected_usd
from ..domain.costs.prepare_time import check_prepare_time
from ..domain.dataset import DatasetReport, Snapshot, Split, take_snapshot
from ..domain.errors import Conflict, JobDelayed, NameTaken, NotFound, RunRefused
from ..domain.measurement import of_new_run
from ..domain.plan import Plan
from ..domain.reason import lacked_spot
from ..domain.refusal import quota_notice
from ..domain.run import Run, RunState, run_id_of
from ..domain.run_request import RunRequest, planned
from ..domain.scale import for_images
from ..domain.settling import PendingChange, SettleRule
from ..domain.volumes import amount, check_volumes
from ..ports import Ports
from .advance_run import advance_run
from .ranges import with_chosen_ranges
from .retry_run import RUNS_SEEN, is_repeated, latest

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
    run = next_run(snapshot, pending, ports, with_chosen_ranges(plan, ports))
    if run:
        ports.bucket.write_snapshot(run, snapshot)
        try:
            ports.runs.create(run)
        except Conflict:
            keep_first_snapshot(run.run_id, snapshot, ports)
            return None
        ports.metrics.record(of_new_run(run), run.run_id)
    ports.runs.clear_pending(pending)
    return advance_run(run.run_id, ports, rule) if run else None


def keep_first_snapshot(run_id: str, snapshot: Snapshot, ports: Ports) -> None:
    """Write the run's snapshot again as the first function created it: the second one has just overwritten it."""
    with suppress(NotFound):
        ports.bucket.write_snapshot(ports.runs.get(run_id), snapshot)


def next_run(snapshot: Snapshot, pending: PendingChange, ports: Ports, plan: Plan) -> Run | None:
    """The run that was requested, or that this snapshot needs; None if there was one."""
    last, request = latest(ports.runs), pending.request
    if request and not started_for(request.request_id, ports):
        return new_run(snapshot, ports, plan, request)
    if last and last.request and last.content == snapshot.content() and last.state is not RunState.REFUSED:
        return repeated_or_refused(snapshot, last, ports, plan)
    return new_run(snapshot, ports, plan)


def repeated_or_refused(snapshot: Snapshot, last: Run, ports: Ports, plan: Plan) -> Run | None:
    """The next attempt of a requested run that had these images, or a report of refused files; None for neither."""
    if is_repeated(last, ports, plan):
        return new_run(snapshot, ports, plan, last.request)
    return run_for_refused_files(snapshot, last, ports, plan)


def started_for(request_id: str, ports: Ports) -> Run | None:
    """The run that was started for a request, if it is one of the last ten."""
    runs = ports.runs.recent(RUNS_SEEN)
    return next((run for run in runs if run.request and run.request.request_id == request_id), None)


def new_run(snapshot: Snapshot, ports: Ports, plan: Plan, request: RunRequest | None = None) -> Run | None:
    """The run that this snapshot or the request needs, refused if it can't succeed; None if there was one."""
    if not snapshot.images and not snapshot.refused:
        return None
    plan = for_images(planned(plan, request), len(snapshot.images))
    reason = why_refused(snapshot, ports, plan)
    run_id, before = next_attempt(ports, snapshot.version(plan))
    again = before and (is_repeated(before, ports, plan) or asks_again(request, before))
    if before and not again and (before.state is not RunState.REFUSED or reason):
        return run_for_refused_files(snapshot, before, ports, plan)
    champion = ports.runs.champion()
    lacked = before is not None and before.begins_again and lacked_spot(before.reason)
    run = Run(
        run_id,
        replace(plan, spot=plan.spot and not lacked),
        ports.clock.now(),
        content=snapshot.content(),
        strays=snapshot.refused_digest(),
        warm_start_from=warm_start_parents(ports, plan),
        champion_before=champion.run_id if champion else None,
        notice=quota_notice(plan),
        repeats=before.repeats + 1 if before and before.begins_again else 0,
        expected_usd=None if reason else expected_usd(plan, len(snapshot.images)),
        given=amount(snapshot),
        avoids=before.avoids if before and before.begins_again else (),
        request=request,
    )
    if reason is None:
        return run
    return refused(run, snapshot, reason, ports)


def asks_again(request: RunRequest | None, before: Run) -> bool:
    """Whether the images of a run that was not refused are trained on once more because a person wants that."""
    return request is not None and request.again and before.state is not RunState.REFUSED


def run_for_refused_files(snapshot: Snapshot, before: Run, ports: Ports, plan: Plan) -> Run | None:
    """A refused run that lists the refused files; None if there are none, or an earlier run listed them."""
    if not snapshot.refused or before.strays == snapshot.refused_digest():
        return None
    run_id, named = next_attempt(ports, snapshot.refused_digest())
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
    try:
        plan.check()
        snapshot.check(plan)
        check_volumes(plan, snapshot)
        check_prepare_time(plan, len(snapshot.images))
        check_budgets(plan, ports)
    except RunRefused as error:
        return str(error)
    return None


def check_budgets(plan: Plan, ports: Ports) -> None:
    """Raise RunRefused if a run of this plan could cost more than its own budget or this month's."""
    month = ports.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    check_budget(plan)
    check_month(plan, sum(run.cost_usd for run in ports.runs.since(month)))


def next_attempt(ports: Ports, version: str) -> tuple[str, Run | None]:
    """The first unused run name of this dataset version, and the run before it, if any."""
    before = None
    for attempt in count(1):
        run_id = run_id_of(version, attempt, ports.jobs.prefix)
        try:
            before = ports.runs.get(run_id)
        except NotFound:
            if not is_taken(run_id, ports):
                break
    return run_id, before


def is_taken(run_id: str, ports: Ports) -> bool:
    """Whether an unknown run's name can't be used, as SageMaker keeps a job of that name for ever.

    A run of this bucket wrote its snapshot before its first job: it is only missing from the table, and continues. Any
    other job is another stack's, or was started before the bucket was emptied.
    """
    if ports.bucket.has(layout.snapshot(run_id)):
        return False
    try:
        return ports.jobs.prepare_job(run_id) is not None
    except NameTaken:
        return True
    except JobDelayed:  # the run says it, once it has begun
        return False


def warm_start_parents(ports: Ports, plan: Plan) -> tuple[str, ...]:
    """The latest completed runs of this stack with the same search space.

    They are as many as AMT's limits on parents and their jobs allow.
    """
    own = (run for run in ports.runs.recent(50) if run.run_id.startswith(ports.jobs.prefix))
    completed = (run for run in own if run.state is RunState.COMPLETED)
    searched = (plan.search_space, plan.backbones, plan.heads_per_job)
    parents: list[str] = []
    jobs = plan.head_jobs
    for run in completed:
        same = (run.plan.search_space, run.plan.backbones, run.plan.heads_per_job) == searched
        if same and len(parents) < WARM_START_PARENTS and jobs + run.plan.head_jobs <= WARM_START_JOBS:
            parents.append(run.run_id)
            jobs += run.plan.head_jobs
    return tuple(parents)
