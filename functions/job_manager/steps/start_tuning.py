"""Starting a run's tuning jobs: on spot instances and with what earlier runs learnt, or without these if refused."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ..domain import layout
from ..domain.errors import JobRejected, NotFound
from ..domain.job import Job
from ..domain.refusal import refuses_spot
from ..domain.run import Run
from ..ports import Ports


def waiting(run: Run, job: Job | None = None) -> Run | None:
    """The run with what its job waits for, or None if it has that already; most jobs wait for nothing."""
    waits = run.waiting(job.reason if job else None)
    return None if waits == run else waits


def started(run: Run, ports: Ports, start: Callable[[Run, Ports], Run | None]) -> Run | None:
    """Start a tuning job, on demand if SageMaker refuses it spot instances; None if the run stays as it is."""
    try:
        return start(run, ports)
    except JobRejected as error:
        if not (run.plan.spot and refuses_spot(str(error))):
            raise
        on_demand = replace(run, plan=replace(run.plan, spot=False))
        noted = on_demand.noted(f"{str(error).rstrip('.')}. The training jobs run on demand instead.")
        return start(noted, ports) or noted


def start_heads(run: Run, ports: Ports) -> Run | None:
    """Start the tuning job of the heads, without a warm start if SageMaker refuses it with one."""
    known = tuple(parent for parent in run.warm_start_from if ports.jobs.tuning_job(parent))
    refused = start_warm(known, lambda parents: ports.jobs.start_tuning(replace(run, warm_start_from=parents)))
    return replace(cold(run, refused), warm_start_from=()) if refused else waiting(run)


def start_warm(parents: tuple[str, ...], start: Callable[[tuple[str, ...]], None]) -> JobRejected | None:
    """Start a tuning job with its parents; if SageMaker refuses these, start it without, and return the refusal."""
    try:
        start(parents)
    except JobRejected as error:
        if not parents:
            raise
        start(())
        return error
    return None


def cold(run: Run, error: JobRejected) -> Run:
    """The run, with the notice that its warm start was refused."""
    return run.waiting(None).noted(f"{str(error).rstrip('.')}. The search starts without the results of earlier runs.")


def start_networks(run: Run, ports: Ports) -> Run | None:
    """Start the tuning job of the whole network, without a warm start if SageMaker refuses it with one."""
    refused = start_warm(fine_tuned_before(run, ports), lambda parents: ports.jobs.start_fine_tuning(run, parents))
    return cold(run, refused) if refused else waiting(run)


def fine_tuned_before(run: Run, ports: Ports) -> tuple[str, ...]:
    """The fine-tuning jobs of the run's parents that had the same search."""
    stage, names = run.plan.fine_tuning, []
    for parent in run.warm_start_from:
        with suppress(NotFound):
            before = ports.runs.get(parent).plan.fine_tuning
            if stage and before and before.search_space == stage.search_space:
                names.append(layout.fine_tuning_job(parent))
    return tuple(name for name in names if ports.jobs.tuning_job(name))
