"""The images are checked, split and packed: by one job, or by several instances whose parts another job merges."""

from ...domain.dataset import DatasetReport
from ...domain.job import Job, JobStatus
from ...domain.run import Run, RunState
from ...ports import Ports
from .endings import unfinished
from .machines import charged, start_on_any
from .start_tuning import started, waiting


def prepare(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.prepare_job(run.run_id)
    if job is None:
        return started(run, start_on_any(run, lambda machine: ports.jobs.start_prepare(run.on(machine))))
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    if job.status is JobStatus.COMPLETED and run.plan.prepare_instances > 1:
        return charged(run, job, job.seconds).moved(RunState.MERGING, processing_seconds=job.seconds)
    return prepared(run, job, ports)


def merge(run: Run, ports: Ports) -> Run | None:
    job = ports.jobs.merge_job(run.run_id)
    if job is None:
        return started(run, start_on_any(run, lambda machine: ports.jobs.start_merge(run.on(machine))))
    if job.status is JobStatus.IN_PROGRESS:
        return waiting(run, job)
    return prepared(run, job, ports)


def prepared(run: Run, job: Job, ports: Ports) -> Run:
    """The run after the job that writes the report about the dataset."""
    run = charged(run, job, job.seconds)
    seconds = run.processing_seconds + job.seconds
    refused = ports.bucket.read_refused(run.run_id)
    if job.status is not JobStatus.COMPLETED:
        report = DatasetReport(0, 0).with_refused(refused)
        return unfinished(run, job, ports, dataset=report, processing_seconds=seconds)
    report = ports.bucket.read_dataset_report(run.run_id).with_refused(refused)
    return run.moved(RunState.TUNING, dataset=report, processing_seconds=seconds)
