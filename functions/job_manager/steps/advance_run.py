"""Take a run as far as its jobs allow. An event is only a wake-up: the jobs' states are read from SageMaker."""

from dataclasses import replace

from ..domain.errors import Conflict, JobDelayed, JobRejected, MalformedOutput, NameTaken, NotFound
from ..domain.job import JobStatus
from ..domain.measurement import Measurement, of_move
from ..domain.refusal import Delay
from ..domain.run import Record, Run, RunState, run_id_in
from ..domain.settling import SettleRule
from ..ports import Ports
from .note_upload import note_upload
from .stages.heads import with_heads
from .stages.order import FALLBACKS, STAGES, StageFunction, current_job
from .stop_run import BY_A_PERSON, asked_to_stop

AFTER_A_TAKEN_NAME = 4


def advance_run(run_id: str, ports: Ports, rule: SettleRule) -> Run:
    """Move the run on until it waits for a job or has ended, then wake start_run for any upload since it started.

    Idempotent. Raises NotFound for an unknown run.
    """
    run = ports.runs.get(run_id)
    while not run.state.ended:
        moved = next_move(run, ports)
        if moved is None:
            return run
        if moved.state.ended:
            keep_record(moved, ports)
        measured = measurements(run, moved, ports)
        try:
            ports.runs.move(moved, came_from=run.state)
        except Conflict:
            return ports.runs.get(run_id)
        if moved.state is run.state:
            return moved
        ports.metrics.record(measured, run_id)
        run = moved
        if run.begins_again:
            note_upload(ports, rule)
    pending = ports.runs.pending()
    if pending:
        ports.timer.arm(pending, pending.wait(rule, ports.clock.now()))
    return run


def keep_record(run: Run, ports: Ports) -> None:
    """Save in the bucket how a run ended, before people are notified, so that a rebuild needs nothing else."""
    ports.bucket.write_record(Record(run, tuple(ports.runs.trials(run.run_id))))


def measurements(before: Run, after: Run, ports: Ports) -> list[Measurement]:
    """What is measured of a run that leaves a stage. Only the function that moves it publishes this, so once a move."""
    if after.state is before.state:
        return []
    return list(of_move(before, after, ports.runs.trials(after.run_id), ports.clock.now()))


def record_trial(name: str, ports: Ports) -> None:
    """Save the state of a training job, as SageMaker describes it. Raises NotFound if it belongs to no known run."""
    run_id = run_id_in(name)
    if run_id is None:
        raise NotFound(f"Training job {name} does not belong to a run.")
    run = ports.runs.get(run_id)
    ports.runs.save_trial(run.run_id, with_heads(run, ports.jobs.trial(name), ports))


def next_move(run: Run, ports: Ports) -> Run | None:
    """The run after its present stage, or as it waits, or failed if it can't continue; None while nothing changes."""
    moved = outcome(run, ports)
    if moved is None or moved.state is run.state or moved.state.ended:
        return moved
    return replace(moved, stage_since=ports.clock.now())


def outcome(run: Run, ports: Ports) -> Run | None:
    """What the present stage makes of the run, or its refusal or failure."""
    stage = STAGES[run.state]
    try:
        return stopped(run, ports, stage) if asked_to_stop(run, ports) else stage(run, ports)
    except JobDelayed as error:
        return delayed(run, error, ports)
    except NameTaken as error:
        again = run.repeats < AFTER_A_TAKEN_NAME
        reason = f"{error} It begins again under the next name." if again else str(error)
        return run.ended(RunState.FAILED, ports.clock.now(), reason, begins_again=again)
    except (JobRejected, MalformedOutput, NotFound) as error:
        return run.ended(RunState.FAILED, ports.clock.now(), str(error))


def delayed(run: Run, error: JobDelayed, ports: Ports) -> Run | None:
    """The run with what its job waits for, or None if it has that already; after too long it continues without it."""
    now = ports.clock.now()
    delay = Delay(error.cause, min(run.delay.since, now) if run.delay else now)
    if delay.is_over(now):
        reason = f"{str(error).rstrip('.')}. It waited for {delay.hours}."
        fall_back = FALLBACKS.get(run.state)
        return fall_back(run, reason) if fall_back else run.ended(RunState.FAILED, now, reason)
    waiting = run.waiting(str(error), delay)
    return None if waiting == run else waiting


def stopped(run: Run, ports: Ports, stage: StageFunction) -> Run | None:
    """A run that was asked to stop, after its present stage; None while the stage's job is stopping.

    It ends as stopped unless that job completed or failed it. In a rebuild it first goes through its later jobs.
    """
    job = current_job(run, ports)
    if job is None:
        return run.ended(RunState.STOPPED, ports.clock.now(), BY_A_PERSON)
    if job.status is JobStatus.IN_PROGRESS:
        ports.jobs.stop(job.name)
        return None
    moved = stage(run, ports)
    if moved is None or moved.state in {RunState.COMPLETED, RunState.FAILED}:
        return moved and replace(moved, begins_again=False)
    if not moved.state.ended and current_job(moved, ports):
        return moved
    ended_at = max(job.ended_at or ports.clock.now(), run.created_at)
    return replace(moved, state=RunState.STOPPED, ended_at=ended_at, reason=BY_A_PERSON)
