"""Starting a run's tuning jobs: on spot instances and with what earlier runs learnt, or without these if refused."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ...domain import layout
from ...domain.errors import JobRejected, NotFound
from ...domain.job import Job
from ...domain.refusal import refuses_spot
from ...domain.run import Run
from ...ports import Ports
from .machines import start_on_any
from .trials import model_of


def waiting(run: Run, job: Job | None = None) -> Run | None:
    """The run with what its job waits for, or None if it has that already; most jobs wait for nothing."""
    waits = run.waiting(job.reason if job else None)
    return None if waits == run else waits


def started(run: Run, now: Run) -> Run | None:
    """The run as its job was started, waiting for nothing, or None if that is how it was."""
    now = now.waiting(None)
    return None if now == run else now


def start_tuning(run: Run, ports: Ports, start: Callable[[Run, Ports], Run]) -> Run | None:
    """Start a tuning job, on demand if SageMaker refuses it spot instances; None if the run stays as it is."""
    try:
        return started(run, start(run, ports))
    except JobRejected as error:
        if not (run.plan.spot and refuses_spot(str(error))):
            raise
        on_demand = replace(run, plan=replace(run.plan, spot=False))
        noted = on_demand.noted(f"{str(error).rstrip('.')}. The training jobs run on demand instead.")
        return started(run, start(noted, ports))


def start_heads(run: Run, ports: Ports) -> Run:
    """Start the tuning job of the heads, without a warm start if SageMaker refuses it with one."""
    known = tuple(parent for parent in run.warm_start_from if ports.jobs.tuning_job(parent))

    def start(parents: tuple[str, ...]) -> Run:
        own = replace(run, warm_start_from=parents)
        return start_on_any(own, lambda machine: ports.jobs.start_tuning(own.on(machine)))

    return start_warm(known, start)


def start_networks(run: Run, ports: Ports) -> Run:
    """Start the tuning job of the whole network, without a warm start if SageMaker refuses it with one."""
    whole = with_head(run, ports)

    def start(parents: tuple[str, ...]) -> Run:
        return start_on_any(run, lambda machine: ports.jobs.start_fine_tuning(whole.on(machine), parents))

    return start_warm(fine_tuned_before(run, ports), start)


def start_warm(parents: tuple[str, ...], start: Callable[[tuple[str, ...]], Run]) -> Run:
    """Start a tuning job with its parents, or without if SageMaker refuses these; the run then says so."""
    try:
        return start(parents)
    except JobRejected as error:
        if not parents or error.cause:
            raise
        why = f"{str(error).rstrip('.')}. The search starts without the results of earlier runs."
        return start(()).noted(why)


def with_head(run: Run, ports: Ports) -> Run:
    """The run with the address of its best head's model, which older runs don't have."""
    head = run.best_head
    return replace(run, best_head=head and replace(head, model_uri=model_of(head, ports)))


def fine_tuned_before(run: Run, ports: Ports) -> tuple[str, ...]:
    """The fine-tuning jobs of the run's parents that had the same search."""
    stage, names = run.plan.fine_tuning, []
    for parent in run.warm_start_from:
        with suppress(NotFound):
            before = ports.runs.get(parent).plan.fine_tuning
            if stage and before and before.search_space == stage.search_space:
                names.append(layout.fine_tuning_job(parent))
    return tuple(name for name in names if ports.jobs.tuning_job(name))
