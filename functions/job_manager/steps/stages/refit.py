"""The best head, found on a sample, is trained again on all training images; if that fails, it stays as it is."""

from dataclasses import replace

from ...domain import layout
from ...domain.errors import JobRejected
from ...domain.job import Job, JobStatus
from ...domain.reason import blames_aws
from ...domain.results.trial import Trial
from ...domain.run import Run
from ...ports import Ports
from .endings import trainer_was_changed, unfinished
from .heads import with_heads
from .machines import charged, start_on_any
from .start_tuning import start_tuning, waiting
from .tune import after_heads


def refit(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.refit_job(run.run_id)
    if job is None:
        try:
            return start_tuning(run, ports, start_refit)
        except JobRejected as error:
            return keep_sampled_head(run, str(error))
    trial = saved(run, ports)
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    seconds = run.training_seconds + trial.billable_seconds
    run = charged(run, job, trial.billable_seconds)
    cut_short = job.reached(run.plan.trial_time_limit)
    if was_stopped(job, cut_short=cut_short) or (not trial.usable and trainer_was_changed(job, [trial])):
        return unfinished(run, job, ports, training_seconds=seconds)
    return after_refit(replace(run, training_seconds=seconds), trial, cut_short=cut_short)


def start_refit(run: Run, ports: Ports) -> Run:
    """Start the training job."""
    return start_on_any(run, lambda machine: ports.jobs.start_refit(run.on(machine)))


def saved(run: Run, ports: Ports) -> Trial:
    """The training job as a trial of the run, saved if it has changed."""
    trial = with_heads(run, ports.jobs.trial(layout.refit_job(run.run_id)), ports)
    if trial not in ports.runs.trials(run.run_id):
        ports.runs.save_trial(run.run_id, trial)
    return trial


def was_stopped(job: Job, *, cut_short: bool) -> bool:
    """Whether somebody stopped the job; not its time limit, nor the want of a spot instance."""
    return job.status is JobStatus.STOPPED and not cut_short and not blames_aws(job.reason)


def after_refit(run: Run, trial: Trial, *, cut_short: bool) -> Run:
    """The run in its next stage, with the head of all images if there is one."""
    if not trial.usable:
        return keep_sampled_head(run, trial.reason or f"The job {trial.name} {trial.status.lower()} without a model.")
    if cut_short:
        run = run.noted("Training on all images was stopped by its time limit. Raise TrialTimeLimitSeconds for more.")
    return run.moved(after_heads(run), best_trial=trial, best_head=trial)


def keep_sampled_head(run: Run, why: str) -> Run:
    """The run in its next stage, with the head that saw a sample, as no other could be trained."""
    images = run.plan.head_sample
    seen = f"{images:,} image{'' if images == 1 else 's'}"
    noted = run.noted(f"{why.rstrip('.')}. The best head is the one trained on {seen}.")
    return noted.moved(after_heads(run))
