"""The images are checked, split and packed: by one job, or by several instances whose parts another job merges."""

from ...domain.dataset import DatasetReport
from ...domain.job import JobStatus
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
    run = charged(run, job, job.seconds)
    refused = ports.bucket.read_refused(run.run_id)
    if job.status is not JobStatus.COMPLETED:
        report = DatasetReport(0, 0).with_refused(refused)
        return unfinished(run, job, ports, dataset=report, processing_seconds=job.seconds)
    report = ports.bucket.read_dataset_report(run.run_id).with_refused(refused)
    return run.moved(RunState.TUNING, dataset=report, processing_seconds=job.seconds)
