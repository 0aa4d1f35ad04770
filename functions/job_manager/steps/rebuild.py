"""The table is an index: what the bucket keeps and SageMaker knows suffices to fill it anew."""

from ..domain.errors import Conflict
from ..domain.run import Run
from ..domain.settling import SettleRule
from ..ports import Ports
from .advance_run import advance_run


def rebuild(ports: Ports, rule: SettleRule) -> list[Run]:
    """Put every run that the table lacks back at its start, oldest first, and take it as far as its jobs went.

    A snapshot whose run was neither refused nor given a job is passed over: that run never began. The open run goes
    first: a rebuild that was cut off may have put it back, and its slot would keep out all others.
    """
    rebuilt = []
    begun = ports.runs.open_run()
    if begun:
        advance_run(begun.run_id, ports, rule)
    for run in sorted(ports.bucket.kept_runs(), key=lambda run: run.created_at):
        if not run.state.ended and ports.jobs.prepare_job(run.run_id) is None:
            continue
        try:
            ports.runs.create(run)
        except Conflict:
            continue
        rebuilt.append(advance_run(run.run_id, ports, rule))
    return rebuilt
