"""A person wants a run to stop: its job is stopped at once, and no other is started."""

from collections.abc import Callable
from dataclasses import replace

from ..domain import layout
from ..domain.errors import Conflict
from ..domain.job import Job, JobStatus
from ..domain.run import Run, RunState
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


def stopped(run: Run, ports: Ports, stage: Callable[[Run, Ports], Run | None]) -> Run | None:
    """The run at its end, or None while its job is yet to stop; a run whose last job is done has ended by itself.

    One that is rebuilt goes through all that was begun before it was stopped.
    """
    job = waited_for(run, ports)
    if job is None:
        return run.ended(RunState.STOPPED, ports.clock.now(), BY_A_PERSON)
    if job.status is JobStatus.IN_PROGRESS:
        ports.jobs.stop(job.name)
        return None
    moved = stage(run, ports)
    if moved is None or moved.state in {RunState.COMPLETED, RunState.FAILED}:
        return moved and replace(moved, begins_again=False)
    if not moved.state.ended and waited_for(moved, ports):
        return moved
    ended_at = max(job.ended_at or ports.clock.now(), run.created_at)
    return replace(moved, state=RunState.STOPPED, ended_at=ended_at, reason=BY_A_PERSON)


def waited_for(run: Run, ports: Ports) -> Job | None:
    """The job that a run waits for, if it was started."""
    if run.state is RunState.PREPARING:
        return ports.jobs.prepare_job(run.run_id)
    if run.state is RunState.EVALUATING:
        return ports.jobs.evaluation_job(run.run_id)
    return ports.jobs.tuning_job(run.job)
