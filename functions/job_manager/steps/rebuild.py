"""The table can be filled again from the bucket and SageMaker."""

from ..domain.errors import Conflict, MalformedOutput, NotFound
from ..domain.run import Run
from ..domain.settling import SettleRule
from ..ports import Ports
from .advance_run import advance_run, keep_record, next_move
from .stages.evaluate import keep_champion
from .stages.order import current_job


def rebuild(ports: Ports, rule: SettleRule) -> list[Run]:
    """Add every run that the table lacks, oldest first, as far as its jobs went; a run in progress continues.

    A run that ended is read from the bucket alone. A snapshot whose run has neither ended nor started a job is skipped.
    The open run is advanced first: if its jobs are done, it makes room for another open run.
    """
    rebuilt = []
    begun = ports.runs.open_run()
    if begun:
        advance_run(begun.run_id, ports, rule)
    for kept in sorted(ports.bucket.kept_runs(), key=lambda run: run.created_at):
        run = as_recorded(kept, ports) or as_described(kept, ports)
        if run is None:
            continue
        try:
            ports.runs.create(run)
        except Conflict:
            continue
        rebuilt.append(run if run.state.ended else advance_run(run.run_id, ports, rule))
    return rebuilt


def as_recorded(kept: Run, ports: Ports) -> Run | None:
    """The run as recorded in the bucket when it ended, with its trials saved; None without a readable record."""
    try:
        record = ports.bucket.read_record(kept.run_id)
    except (NotFound, MalformedOutput):
        return None
    for trial in record.trials:
        ports.runs.save_trial(kept.run_id, trial)
    return keep_champion(record.run, ports)


def as_described(kept: Run, ports: Ports) -> Run | None:
    """The run as far as SageMaker's jobs took it; None if SageMaker has no job of it, or it was another stack's."""
    if not kept.state.ended and (not kept.run_id.startswith(ports.jobs.prefix) or current_job(kept, ports) is None):
        return None
    run = followed(kept, ports)
    if run.state.ended and not kept.state.ended:
        keep_record(run, ports)
    return run


def followed(run: Run, ports: Ports) -> Run:
    """The run after all its jobs so far; no other job is started."""
    while not run.state.ended and current_job(run, ports):
        moved = next_move(run, ports)
        if moved is None:
            break
        run = moved
    return run
