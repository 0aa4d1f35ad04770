"""The best model is scored on the test split, beside the champion."""

from dataclasses import replace

from ...domain import layout
from ...domain.errors import NotFound
from ...domain.job import JobStatus
from ...domain.run import Run, RunState
from ...ports import Ports
from .endings import end_of, unfinished
from .machines import charged, start_on_any
from .start_tuning import started, waiting
from .trials import model_of


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
