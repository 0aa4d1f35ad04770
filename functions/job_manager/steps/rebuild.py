"""The table is an index: what the bucket keeps and SageMaker knows suffices to fill it anew."""

from ..domain.errors import Conflict
from ..domain.run import Run
from ..domain.settling import SettleRule
from ..ports import Ports
from .advance_run import advance_run, next_move
from .stop_run import waited_for


def rebuild(ports: Ports, rule: SettleRule) -> list[Run]:
    """Put every run that the table lacks back, oldest first, as far as its jobs went; one that goes on goes on.

    A snapshot whose run was neither refused nor given a job is passed over: that run never began. The open run goes
    first: it may have all its jobs behind it, and keep another from coming back as the open one.
    """
    rebuilt = []
    begun = ports.runs.open_run()
    if begun:
        advance_run(begun.run_id, ports, rule)
    for kept in sorted(ports.bucket.kept_runs(), key=lambda run: run.created_at):
        if not kept.state.ended and waited_for(kept, ports) is None:
            continue
        run = followed(kept, ports)
        try:
            ports.runs.create(run)
        except Conflict:
            continue
        rebuilt.append(run if run.state.ended else advance_run(run.run_id, ports, rule))
    return rebuilt


def followed(run: Run, ports: Ports) -> Run:
    """The run after all the jobs that it had; no other is started."""
    while not run.state.ended and waited_for(run, ports):
        moved = next_move(run, ports)
        if moved is None:
            break
        run = moved
    return run
