"""The whole network is trained, from the best head; if that gives nothing better, the head stays the run's model."""

from collections.abc import Sequence
from dataclasses import replace

from ...domain import layout
from ...domain.errors import JobRejected
from ...domain.job import JobStatus
from ...domain.results.trial import Trial
from ...domain.run import Run, RunState
from ...ports import Ports
from .endings import trainer_was_changed, unfinished
from .machines import charged
from .start_tuning import start_networks, start_tuning, waiting
from .trials import all_trials, billable, cut_at_time_limit, with_reason_of_trials


def fine_tune(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.tuning_job(layout.fine_tuning_job(run.run_id))
    if job is None:
        try:
            return start_tuning(run, ports, start_networks)
        except JobRejected as error:
            return fall_back_to_head(run, str(error))
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, with_reason_of_trials(run, job, ports))
    trials = all_trials(run, job.name, ports)
    if trials is None:
        return None
    seconds = billable(trials)
    run = charged(run, job, seconds)
    ranked = sorted((trial for trial in trials if trial.usable), key=lambda trial: trial.objective or 0.0, reverse=True)
    cut_short = job.reached(run.plan.tuning_time_limit)
    if (job.status is JobStatus.STOPPED and not cut_short) or (not ranked and trainer_was_changed(job, trials)):
        return unfinished(run, job, ports, trials, fine_tuning_seconds=seconds)
    if cut_short and ranked:
        run = run.noted(cut_at_time_limit("Fine-tuning", trials))
    return after_fine_tuning(replace(run, fine_tuning_seconds=seconds), ranked, job.reason)


def after_fine_tuning(run: Run, ranked: Sequence[Trial], failure: str | None) -> Run:
    """The run in evaluation, with the better of the best fine-tuned trial and the best head."""
    if not ranked:
        return fall_back_to_head(run, f"No fine-tuning trial finished. {failure or ''}".strip())
    best, *others = ranked
    if run.best_head and (best.objective or 0.0) < (run.best_head.objective or 0.0):
        return fall_back_to_head(
            run, "The best head scores higher on the validation images than the fine-tuned networks."
        )
    return run.moved(RunState.EVALUATING, best_trial=best, rival=next(iter(others), None))


def fall_back_to_head(run: Run, why: str) -> Run:
    """The run in evaluation, with its best head, as fine-tuning gave nothing better."""
    noted = run.noted(f"{why.rstrip('.')}. The best head is the run's model.")
    return noted.moved(RunState.EVALUATING, best_trial=run.best_head)
