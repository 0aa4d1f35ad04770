"""A person wants a run to stop: its job is stopped at once, and no other is started."""

from ..domain import layout
from ..domain.errors import Conflict
from ..domain.run import Run
from ..ports import Ports

BY_A_PERSON = "Somebody stopped it."


def stop_run(run_id: str, ports: Ports) -> Run:
    """Ask for a run's end: the wish is kept first, so that nobody starts another job meanwhile.

    Raises NotFound for a run that isn't ours, Conflict for one that has ended.
    """
    run = ports.runs.get(run_id)
    if run.state.ended:
        raise Conflict(f"The run {run_id} has ended already: it is {run.state}.")
    ports.bucket.ask_to_stop(run_id, ports.clock.now())
    ports.jobs.stop(run.job)
    return run


def asked_to_stop(run: Run, ports: Ports) -> bool:
    """Whether somebody wants this run to stop."""
    return ports.bucket.has(layout.stop(run.run_id))
