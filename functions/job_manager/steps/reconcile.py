"""Make up for lost events: advance the open run, and notice a bucket that differs from its last run."""

from contextlib import suppress

from ..domain.dataset import Snapshot, take_snapshot
from ..domain.errors import JobDelayed
from ..domain.listing import Listing, circumstances
from ..domain.measurement import Measurement, Metric, of_open_run
from ..domain.plan import Plan
from ..domain.run import Run, RunState
from ..domain.settling import SettleRule
from ..ports import Ports
from .advance_run import advance_run
from .note_upload import note_upload
from .notify import notify_of_delay
from .ranges import with_chosen_ranges
from .retry_run import is_repeated, latest
from .stages.trials import all_trials
from .start_run import new_run, run_for_refused_files

# The clock had to do what an event should have woken a function for.
FINDING = Measurement(Metric.RECONCILE_FINDINGS)


def reconcile(ports: Ports, plan: Plan, rule: SettleRule) -> Run | None:
    """Advance and return the open run, if any. Called regularly, it brings every run to its end without any event."""
    for run_id in ports.runs.unnotified():
        ports.runs.remind(run_id, ports.clock.now())
        ports.metrics.record([FINDING], run_id)
    run = ports.runs.open_run()
    if run:
        if run.state in {RunState.TUNING, RunState.FINE_TUNING}:
            save_trials(run, ports)
        advanced = advance_run(run.run_id, ports, rule)
        report(run, advanced, ports)
        notify_of_delay(advanced, ports)
        return advanced
    pending = ports.runs.pending()
    if pending:
        now = ports.clock.now()
        wait = pending.wait(rule, now)
        if not wait or pending.is_ahead_of(now):
            ports.timer.arm(pending, wait)
    elif upload_was_missed(ports, with_chosen_ranges(plan, ports)):
        note_upload(ports, rule)
        ports.metrics.record([FINDING])
    return None


def report(before: Run, after: Run, ports: Ports) -> None:
    """Publish whether the clock had to advance the run, and how much of its stage's time it has used."""
    if after.state is not before.state:
        ports.metrics.record([FINDING], after.run_id)
    if not after.state.ended:
        ports.metrics.record([of_open_run(after, ports.clock.now())], after.run_id)


def save_trials(run: Run, ports: Ports) -> None:
    """Save how the trials of the run's tuning job are, unless the permission to ask is missing."""
    with suppress(JobDelayed):
        all_trials(run, run.job, ports)


def upload_was_missed(ports: Ports, plan: Plan) -> bool:
    """Whether the bucket's files differ from its last run's, or that is to be repeated or would now be accepted.

    A changed plan alone does not count unless the run failed: changing a parameter should not cost a run. The bucket
    is listed seldom while that finds nothing new.
    """
    last, before, now = latest(ports.runs), ports.runs.listing(), ports.clock.now()
    under = circumstances(last, plan, now)
    if before and before.is_recent(now, under):
        return False
    snapshot = take_snapshot(ports.bucket.objects())
    missed = needs_run(snapshot, last, ports, plan)
    if not missed:
        keys = len(snapshot.images) + len(snapshot.refused)
        ports.runs.save_listing(before.followed_by(now, keys, under) if before else Listing(now, keys, under))
    return missed


def needs_run(snapshot: Snapshot, last: Run | None, ports: Ports, plan: Plan) -> bool:
    """Whether the bucket, as it is now, needs a run or a report of refused files that it did not have."""
    done = last and last.state is not RunState.REFUSED and not is_repeated(last, ports, plan)
    if last and done and last.content == snapshot.content():
        return run_for_refused_files(snapshot, last, ports, plan) is not None
    repeats = last and last.state is not RunState.REFUSED and last.content == snapshot.content()
    return new_run(snapshot, ports, plan, last.request if last and repeats else None) is not None
