"""How a run ends with a job that failed or was stopped, and whether its dataset gets another attempt by itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ...domain.job import Job, JobStatus
from ...domain.reason import TRAINER_CHANGED, blames_aws, lacks_instances, names_other_trainer
from ...domain.results.trial import Trial
from ...domain.run import Run, RunState
from ...ports import Ports

# A run begins again by itself so often in a row; then only a person, another plan or another image begins it again.
AFTER_ANOTHER_TRAINER, AFTER_A_FAULT_OF_AWS = 4, 1
TOO_OFTEN = f"It has begun again {AFTER_ANOTHER_TRAINER} times, and does not do so by itself any more."


def unfinished(run: Run, job: Job, ports: Ports, trials: Sequence[Trial] = (), **changes: object) -> Run:
    """The run, ended as its job did: failed or stopped.

    It begins again if the trainer was changed meanwhile, and once if the fault was SageMaker's.
    """
    reason = job.reason or f"The job {job.name} {job.status.lower()} and gave no reason."
    if job.status is JobStatus.STOPPED:
        return run.ended(RunState.STOPPED, end_of(job, ports), reason, **changes)
    again = False
    if trainer_was_changed(job, trials):
        again = run.repeats < AFTER_ANOTHER_TRAINER
        reason = f"{TRAINER_CHANGED} {'It begins again.' if again else TOO_OFTEN}"
    elif fault := fault_of_aws(job, trials):
        times = AFTER_A_FAULT_OF_AWS
        if lacks_instances(fault) and job.instance_type:
            times = max(times, len(run.machine.alternatives))
            run = replace(run, avoids=(*run.avoids, job.instance_type))
        again = run.repeats < times
        reason = f"{fault.rstrip('.')}. It begins again." if again else fault
    return run.ended(RunState.FAILED, end_of(job, ports), reason, **changes, begins_again=again)


def trainer_was_changed(job: Job, trials: Sequence[Trial]) -> bool:
    """Whether a job or one of its trials failed on the output of another version of the trainer."""
    return any(names_other_trainer(reason) for reason in (job.reason, *(trial.reason for trial in trials)))


def fault_of_aws(job: Job, trials: Sequence[Trial]) -> str | None:
    """SageMaker's fault, in its own words, for which a job or all of its trials failed; None for any other failure."""
    if blames_aws(job.reason):
        return job.reason
    reasons = [trial.reason for trial in trials if not trial.usable]
    return reasons[0] if len(reasons) == len(trials) and reasons and all(map(blames_aws, reasons)) else None


def end_of(job: Job, ports: Ports) -> datetime:
    """When the run ended, by SageMaker's clock, so that a rebuilt run has the same time."""
    return job.ended_at or ports.clock.now()
