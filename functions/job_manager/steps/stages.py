"""The four stages of a run: each starts its job, waits for it, and reads what it left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..domain import layout
from ..domain.dataset import DatasetReport
from ..domain.errors import JobRejected, NotFound
from ..domain.job import Job, JobStatus
from ..domain.reason import TRAINER_CHANGED, tells_of_another_trainer
from ..domain.result import Trial
from ..domain.run import Run, RunState
from ..ports import Ports

Stage = Callable[[Run, Ports], Run | None]

# A trainer that is changed more often than this is not changed by somebody.
ATTEMPTS = 5
TOO_OFTEN = "That has happened too often, so it ends; any other image starts a new run."


def waited_for(run: Run, ports: Ports) -> Job | None:
    """The job that a run waits for, if it was started."""
    if run.state is RunState.PREPARING:
        return ports.jobs.prepare_job(run.run_id)
    if run.state is RunState.EVALUATING:
        return ports.jobs.evaluation_job(run.run_id)
    return ports.jobs.tuning_job(run.job)


def waiting(run: Run, job: Job) -> Run | None:
    """The run, telling what its job waits for, or None where it tells that already; most jobs wait for nothing."""
    return None if run.waits_for == job.reason else replace(run, waits_for=job.reason)


def prepare(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.prepare_job(run.run_id)
    if job is None:
        ports.jobs.start_prepare(run)
        return None
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    refused = ports.bucket.read_refused(run.run_id)
    if job.status is not JobStatus.COMPLETED:
        report = DatasetReport(0, 0).with_refused(refused)
        return unfinished(run, job, ports, dataset=report, processing_seconds=job.seconds)
    report = ports.bucket.read_dataset_report(run.run_id).with_refused(refused)
    return run.moved(RunState.TUNING, dataset=report, processing_seconds=job.seconds)


def tune(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.tuning_job(run.run_id)
    if job is None:
        known = tuple(parent for parent in run.warm_start_from if ports.jobs.tuning_job(parent))
        ports.jobs.start_tuning(replace(run, warm_start_from=known))
        return None
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    trials, seconds = recorded_trials(run, job, ports)
    best = next((trial for trial in trials if trial.name == job.best_trial), None)
    if job.status is not JobStatus.COMPLETED:
        return unfinished(run, job, ports, trials, best_trial=best, training_seconds=seconds)
    if best is None:
        job = replace(job, reason="No trial finished.")
        return unfinished(run, job, ports, trials, training_seconds=seconds)
    state = RunState.FINE_TUNING if run.plan.fine_tuning else RunState.EVALUATING
    return run.moved(state, best_trial=best, best_head=best, training_seconds=seconds)


def fine_tune(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.tuning_job(layout.fine_tuning_job(run.run_id))
    if job is None:
        try:
            ports.jobs.start_fine_tuning(run)
        except JobRejected as error:
            return with_the_head(run, str(error))
        return None
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    trials, seconds = recorded_trials(run, job, ports)
    ranked = sorted((trial for trial in trials if trial.usable), key=lambda trial: trial.objective or 0.0, reverse=True)
    if job.status is JobStatus.STOPPED or (not ranked and met_another_trainer(job, trials)):
        return unfinished(run, job, ports, trials, fine_tuning_seconds=seconds)
    return after_fine_tuning(replace(run, fine_tuning_seconds=seconds), ranked, job.reason)


def after_fine_tuning(run: Run, ranked: Sequence[Trial], failure: str | None) -> Run:
    """The run on its way to evaluation with the better of the best fine-tuned trial and the best head."""
    if not ranked:
        return with_the_head(run, f"No fine-tuning trial finished. {failure or ''}".strip())
    best, *others = ranked
    if run.best_head and (best.objective or 0.0) < (run.best_head.objective or 0.0):
        return with_the_head(run, "On the validation images the best head is better than what fine-tuning made of it.")
    return run.moved(RunState.EVALUATING, best_trial=best, rival=next(iter(others), None))


def with_the_head(run: Run, why: str) -> Run:
    """The run on its way to evaluation with its best head: no run is lost where fine-tuning gave nothing better."""
    notice = f"{why.rstrip('.')}. The best head is the run's model."
    return run.moved(RunState.EVALUATING, best_trial=run.best_head, notice=notice)


def recorded_trials(run: Run, job: Job, ports: Ports) -> tuple[Sequence[Trial], float]:
    """A tuning job's trials, all saved, and their billable seconds."""
    trials = ports.jobs.trials(job.name)
    for trial in trials:
        ports.runs.save_trial(run.run_id, trial)
    return trials, float(sum(trial.billable_seconds for trial in trials))


def evaluate(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.evaluation_job(run.run_id)
    if job is None:
        ports.jobs.start_evaluation(run, models_to_score(run, ports), champion_sha256(run, ports))
        return None
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    seconds = run.processing_seconds + job.seconds
    if job.status is not JobStatus.COMPLETED:
        return unfinished(run, job, ports, processing_seconds=seconds)
    evaluation = ports.bucket.read_evaluation(run.run_id).as_recorded()
    completed = run.ended(
        RunState.COMPLETED,
        end_of(job, ports),
        evaluation=evaluation,
        won=evaluation.beats_champion(),
        model_uri=ports.bucket.uri(layout.model(run.run_id)),
        processing_seconds=seconds,
    )
    return beside_who_reigns(completed, ports)


def models_to_score(run: Run, ports: Ports) -> dict[str, str]:
    """Where the models for evaluate are, by its inputs' names."""
    places = {
        name: ports.bucket.uri(layout.trial_model(run.run_id, trial.name))
        for name, trial in (("model", run.best_trial), ("rival", run.rival))
        if trial
    }
    champion = champion_model(run, ports)
    return {**places, "champion": champion} if champion else places


def champion_model(run: Run, ports: Ports) -> str | None:
    """Where the reigning model is; None where nobody reigns, or its model was deleted: no job may fail for that."""
    if run.champion_before and ports.bucket.has(layout.model(run.champion_before)):
        return ports.bucket.uri(layout.model(run.champion_before))
    return None


def champion_sha256(run: Run, ports: Ports) -> str | None:
    """The SHA-256 that the champion's archive was recorded with, or None if the table has none.

    It is read from the table because only the functions write there: many may write to the bucket.
    """
    try:
        return ports.runs.get(run.champion_before).model_sha256 if run.champion_before else None
    except NotFound:
        return None


def beside_who_reigns(run: Run, ports: Ports) -> Run:
    """The run, no winner where somebody reigns whom it never met: a rebuild can bring that about."""
    reigning = ports.runs.champion()
    if not run.won or (reigning and reigning.run_id == run.champion_before):
        return run
    return replace(run, won=False) if reigning else replace(run, champion_before=None)


def unfinished(run: Run, job: Job, ports: Ports, trials: Sequence[Trial] = (), **changes: object) -> Run:
    """The run at the end that its job's end brought about; one whose trainer was changed meanwhile begins again."""
    state = RunState.STOPPED if job.status is JobStatus.STOPPED else RunState.FAILED
    reason = job.reason or f"The job {job.name} {job.status.lower()} and left no reason."
    if state is RunState.FAILED and met_another_trainer(job, trials):
        again = run.attempt < ATTEMPTS
        reason = f"{TRAINER_CHANGED} {'It begins again.' if again else TOO_OFTEN}"
        return run.ended(state, end_of(job, ports), reason, **changes, begins_again=again)
    return run.ended(state, end_of(job, ports), reason, **changes)


def met_another_trainer(job: Job, trials: Sequence[Trial]) -> bool:
    """Whether a job or a trial of it got what another version of the trainer had made."""
    return any(tells_of_another_trainer(reason) for reason in (job.reason, *(trial.reason for trial in trials)))


def end_of(job: Job, ports: Ports) -> datetime:
    """When the run ended: as SageMaker has it, so that a rebuilt run ends when it did."""
    return job.ended_at or ports.clock.now()


STAGES: Mapping[RunState, Stage] = {
    RunState.PREPARING: prepare,
    RunState.TUNING: tune,
    RunState.FINE_TUNING: fine_tune,
    RunState.EVALUATING: evaluate,
}
