"""The table is an index: what the bucket keeps and SageMaker knows suffices to fill it again."""

from ..domain.errors import Conflict, MalformedOutput, NotFound
from ..domain.run import Run
from ..domain.settling import SettleRule
from ..ports import Ports
from .advance_run import advance_run, keep_record, next_move
from .stages import beside_who_reigns, waited_for


def rebuild(ports: Ports, rule: SettleRule) -> list[Run]:
    """Put every run that the table lacks back, oldest first, as far as its jobs went; one that goes on goes on.

    A run that ended is in the bucket, and SageMaker need not know of it. A snapshot whose run was neither ended nor
    given a job is passed over: that run never began. The open run goes first: it may have all its jobs behind it, and
    keep another from coming back as the open one.
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
    """The run as the bucket says that it ended, its trials put back; None where the bucket does not say so."""
    try:
        record = ports.bucket.read_record(kept.run_id)
    except (NotFound, MalformedOutput):
        return None
    for trial in record.trials:
        ports.runs.save_trial(kept.run_id, trial)
    return beside_who_reigns(record.run, ports)


def as_described(kept: Run, ports: Ports) -> Run | None:
    """The run as far as SageMaker says that it went; None where that knows no job of it."""
    if not kept.state.ended and waited_for(kept, ports) is None:
        return None
    run = followed(kept, ports)
    if run.state.ended and not kept.state.ended:
        keep_record(run, ports)
    return run


def followed(run: Run, ports: Ports) -> Run:
    """The run after all the jobs that it had; no other is started."""
    while not run.state.ended and waited_for(run, ports):
        moved = next_move(run, ports)
        if moved is None:
            break
        run = moved
    return run
