"""The trials of a tuning job: listed all at once, and described one by one only where the list lacks a fact."""

from collections.abc import Sequence
from dataclasses import replace

from ...domain.errors import NotFound
from ...domain.job import Job
from ...domain.results.trial import Trial
from ...domain.run import Run
from ...ports import Ports
from .heads import with_heads

DESCRIBED_AT_ONCE = 200
"""How many trials one call describes, at some hundred milliseconds each; the next call goes on."""


def all_trials(run: Run, tuning_job: str, ports: Ports) -> Sequence[Trial] | None:
    """All trials of a tuning job, saved where they changed; None while some that ended are still to be described.

    A list tells neither what a trial that ended has cost nor where its model is, nor what one without an instance waits
    for. Of a trial whose event arrived, the table has all that.
    """
    known = {trial.name: trial for trial in ports.runs.trials(run.run_id)}
    listed = [as_saved(trial, known.get(trial.name)) for trial in ports.jobs.trials(tuning_job)]
    lacking = [trial for trial in listed if lacks_facts(trial, known.get(trial.name))]
    lacking.sort(key=lambda trial: not trial.ended)
    found = (with_heads(run, ports.jobs.trial(trial.name), ports) for trial in lacking[:DESCRIBED_AT_ONCE])
    described = {trial.name: trial for trial in found}
    trials = [described.get(trial.name, trial) for trial in listed]
    left = {trial.name for trial in lacking[DESCRIBED_AT_ONCE:] if trial.ended}
    for trial in trials:
        if trial != known.get(trial.name) and trial.name not in left:
            ports.runs.save_trial(run.run_id, trial)
    return None if left else trials


def as_saved(listed: Trial, saved: Trial | None) -> Trial:
    """The trial as the table has it if it ended there; else as it was listed."""
    return saved if saved and saved.ended else listed


def lacks_facts(trial: Trial, saved: Trial | None) -> bool:
    """Whether a trial has to be described: it has just ended, or it waits for an instance."""
    return trial.started_at is None if not trial.ended else trial is not saved


def cut_at_time_limit(what: str, trials: Sequence[Trial]) -> str:
    """A sentence about a tuning job that reached its time limit, and went on without its other trials."""
    usable = sum(trial.usable for trial in trials)
    return (
        f"{what} was stopped by its time limit: the best of {usable} finished {'trial' if usable == 1 else 'trials'} "
        "counts. Raise TuningTimeLimitSeconds for more."
    )


def billable(trials: Sequence[Trial]) -> float:
    """The seconds that trials are paid for."""
    return float(sum(trial.billable_seconds for trial in trials))


def model_of(trial: Trial, ports: Ports) -> str:
    """Where SageMaker says that a trial's model is. Raises NotFound if it left none."""
    place = trial.model_uri or ports.jobs.trial(trial.name).model_uri
    if place is None:
        raise NotFound(f"SageMaker names no model of the training job {trial.name}.")
    return place


def with_reason_of_trials(run: Run, job: Job, ports: Ports) -> Job:
    """A tuning job in progress, with what a trial of it waits for if the job itself waits for nothing."""
    waits = (trial.reason for trial in ports.runs.trials(run.run_id) if trial.reason and not trial.ended)
    return job if job.reason else replace(job, reason=next(waits, None))
