"""A person stops a run: its job is stopped at once, and no other job is started."""

from ..domain import layout
from ..domain.errors import Conflict
from ..domain.run import Run
from ..ports import Ports

BY_A_PERSON = "Stopped by a person."


def stop_run(run_id: str, ports: Ports) -> Run:
    """Stop a run. The request is saved before the job is stopped, so that no function starts another job meanwhile.

    Raises NotFound for an unknown run, Conflict for one that has ended.
    """
    run = ports.runs.get(run_id)
    if run.state.ended:
        raise Conflict(f"The run {run_id} has already ended: it is {run.state}.")
    ports.bucket.ask_to_stop(run_id, ports.clock.now())
    ports.jobs.stop(run.job)
    return run


def asked_to_stop(run: Run, ports: Ports) -> bool:
    """Whether a person asked for this run to be stopped."""
    return ports.bucket.has(layout.stop(run.run_id))
