"""The four stages of a run: each starts its job, waits for it and reads its output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..domain import layout
from ..domain.dataset import DatasetReport
from ..domain.errors import JobRejected, NotFound
from ..domain.job import Job, JobStatus
from ..domain.reason import TRAINER_CHANGED, blames_aws, lacks_instances, names_other_trainer
from ..domain.result import Trial
from ..domain.run import Run, RunState
from ..ports import Ports
from .machines import charged, start_on_any
from .start_tuning import start_heads, start_networks, start_tuning, started, waiting
from .trials import all_trials, billable, cut_at_time_limit, model_of

StageFunction = Callable[[Run, Ports], Run | None]

# A run begins again by itself so often in a row; then only a person, another plan or another image begins it again.
AFTER_ANOTHER_TRAINER, AFTER_A_FAULT_OF_AWS = 4, 1
TOO_OFTEN = f"It has begun again {AFTER_ANOTHER_TRAINER} times, and does not do so by itself any more."


def current_job(run: Run, ports: Ports) -> Job | None:
    """The job of the run's present stage, if it was started."""
    if run.state is RunState.PREPARING:
        return ports.jobs.prepare_job(run.run_id)
    if run.state is RunState.EVALUATING:
        return ports.jobs.evaluation_job(run.run_id)
    return ports.jobs.tuning_job(run.job)


def with_reason_of_trials(run: Run, job: Job, ports: Ports) -> Job:
    """A tuning job in progress, with what a trial of it waits for if the job itself waits for nothing."""
    waits = (trial.reason for trial in ports.runs.trials(run.run_id) if trial.reason and not trial.ended)
    return job if job.reason else replace(job, reason=next(waits, None))


def prepare(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.prepare_job(run.run_id)
    if job is None:
        return started(run, start_on_any(run, lambda machine: ports.jobs.start_prepare(run.on(machine))))
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    run = charged(run, job, job.seconds)
    refused = ports.bucket.read_refused(run.run_id)
    if job.status is not JobStatus.COMPLETED:
        report = DatasetReport(0, 0).with_refused(refused)
        return unfinished(run, job, ports, dataset=report, processing_seconds=job.seconds)
    report = ports.bucket.read_dataset_report(run.run_id).with_refused(refused)
    return run.moved(RunState.TUNING, dataset=report, processing_seconds=job.seconds)


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
    state = RunState.FINE_TUNING if run.plan.fine_tuning else RunState.EVALUATING
    if cut_short:
        run = run.noted(cut_at_time_limit("Tuning", trials))
    return run.moved(state, best_trial=best, best_head=best, training_seconds=seconds)


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


def evaluate(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.evaluation_job(run.run_id)
    if job is None:
        models, digest = models_to_score(run, ports), champion_sha256(run, ports)
        evaluating = start_on_any(run, lambda machine: ports.jobs.start_evaluation(run.on(machine), models, digest))
        return started(run, evaluating)
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    run = charged(run, job, job.seconds)
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
    return keep_champion(completed, ports)


def models_to_score(run: Run, ports: Ports) -> dict[str, str]:
    """The addresses of the models for evaluate, by the names of its inputs."""
    scored = (("model", run.best_trial), ("rival", run.rival))
    places = {name: model_of(trial, ports) for name, trial in scored if trial}
    champion = champion_model(run, ports)
    return {**places, "champion": champion} if champion else places


def champion_model(run: Run, ports: Ports) -> str | None:
    """The champion's model; None if there is no champion or its model was deleted, which must not fail the job."""
    if run.champion_before and ports.bucket.has(layout.model(run.champion_before)):
        return ports.bucket.uri(layout.model(run.champion_before))
    return None


def champion_sha256(run: Run, ports: Ports) -> str | None:
    """The recorded SHA-256 of the champion's archive; None if there is none.

    It comes from the table, where only the functions write: many others may write to the bucket.
    """
    try:
        return ports.runs.get(run.champion_before).model_sha256 if run.champion_before else None
    except NotFound:
        return None


def keep_champion(run: Run, ports: Ports) -> Run:
    """The run, without its win if the champion is another run than it was compared with, as after a rebuild."""
    reigning = ports.runs.champion()
    if not run.won or (reigning and reigning.run_id == run.champion_before):
        return run
    return replace(run, won=False) if reigning else replace(run, champion_before=None)


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


STAGES: Mapping[RunState, StageFunction] = {
    RunState.PREPARING: prepare,
    RunState.TUNING: tune,
    RunState.FINE_TUNING: fine_tune,
    RunState.EVALUATING: evaluate,
}
