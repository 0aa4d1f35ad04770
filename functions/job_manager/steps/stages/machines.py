"""A job runs on the first instance type that SageMaker takes it on: the plan's, or one of its alternatives."""

from collections.abc import Callable
from dataclasses import replace

from ...domain.cost import price
from ...domain.errors import Cause, JobDelayed, JobRejected
from ...domain.job import Job
from ...domain.plan import Machine
from ...domain.run import Run

OF_THE_TYPE = {Cause.QUOTA, Cause.CAPACITY}
"""The refusals that another instance type may not meet."""


def start_on_any(run: Run, start: Callable[[Machine], None]) -> Run:
    """Start the job of the run's stage; return the run, which says so if the job is on another machine than planned.

    Raises what SageMaker says if it takes the job on no machine: JobDelayed if any of them may become free.
    """
    refusals: list[JobRejected | JobDelayed] = []
    for machine in run.machine.in_order(run.avoids):
        try:
            start(machine)
        except (JobRejected, JobDelayed) as error:
            if error.cause not in OF_THE_TYPE:
                raise
            refusals.append(error)
        else:
            return (
                run.noted(f"{str(refusals[0]).rstrip('.')}. It runs on {machine.instance_type}.") if refusals else run
            )
    raise next((error for error in refusals if isinstance(error, JobDelayed)), refusals[0])


def charged(run: Run, job: Job, seconds: float) -> Run:
    """The run of a stage whose job has ended, at the price of the machine that this was on."""
    planned = run.machine
    difference = price(planned.of_type(job.instance_type), seconds) - price(planned, seconds)
    return replace(run, price_difference=run.price_difference + difference)
