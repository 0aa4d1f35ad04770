"""Many heads are trained on the images' features, to find the best hyperparameters."""

from dataclasses import replace

from ...domain.job import JobStatus
from ...domain.run import Run, RunState
from ...ports import Ports
from .endings import unfinished
from .machines import charged
from .start_tuning import start_heads, start_tuning, waiting
from .trials import all_trials, billable, cut_at_time_limit, with_reason_of_trials


def tune(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.tuning_job(run.run_id)
    if job is None:
        return start_tuning(run, ports, start_heads)
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, with_reason_of_trials(run, job, ports))
    trials = all_trials(run, job.name, ports)
    if trials is None:
        return None
    seconds = billable(trials)
    run = charged(run, job, seconds)
    best = next((trial for trial in trials if trial.name == job.best_trial), None)
    cut_short = best is not None and best.usable and job.reached(run.plan.tuning_time_limit)
    if job.status is not JobStatus.COMPLETED and not cut_short:
        return unfinished(run, job, ports, trials, best_trial=best, training_seconds=seconds)
    if best is None:
        job = replace(job, reason="No trial finished.")
        return unfinished(run, job, ports, trials, training_seconds=seconds)
    if cut_short:
        run = run.noted(cut_at_time_limit("Tuning", trials))
    state = RunState.REFITTING if run.samples else after_heads(run)
    return run.moved(state, best_trial=best, best_head=best, training_seconds=seconds)


def after_heads(run: Run) -> RunState:
    """The stage that follows once the run has its best head."""
    return RunState.FINE_TUNING if run.plan.fine_tuning else RunState.EVALUATING
