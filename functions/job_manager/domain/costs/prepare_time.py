"""Whether prepare can read all images before its time limit ends it."""

import re
from dataclasses import replace

from ..errors import RunRefused
from ..plan import Plan
from ..scale import most_instances
from . import assumptions as given
from .expectation import prepare_of

WITH_ACCELERATOR = re.compile(r"ml\.(?:g|p|inf|trn)\d")
"""The instance types whose speed the expectation doesn't know."""


def check_prepare_time(plan: Plan, images: int) -> None:
    """Raise RunRefused if even the shortest time that prepare is expected to take is more than its time limit."""
    limit, needed = plan.processing_time_limit, prepare_seconds(plan, images)
    if needed <= limit or WITH_ACCELERATOR.match(plan.processing.instance_type):
        return
    raise RunRefused(
        f"Prepare is expected to take at least {minutes(needed)} for {images:,} images, and its time limit is "
        f"{minutes(limit)}. {what_to_raise(plan, images)}"
    )


def what_to_raise(plan: Plan, images: int) -> str:
    """What to do about it: with how many instances prepare keeps its time limit, if more instances help."""
    more = range(plan.prepare_instances + 1, most_instances(plan, images) + 1)
    fits = (
        prepare_seconds(replace(plan, prepare_instances=count), images) <= plan.processing_time_limit for count in more
    )
    enough = next((count for count, is_enough in zip(more, fits, strict=True) if is_enough), None)
    if enough is None:
        return "Raise ProcessingTimeLimitSeconds, or choose a larger ProcessingInstanceType."
    return f"Raise PrepareInstances to {enough}, or ProcessingTimeLimitSeconds."


def prepare_seconds(plan: Plan, images: int) -> float:
    """The least time that an instance of prepare is expected to take, in seconds, if nothing ends it."""
    return given.START_BILLED.value.low + prepare_of(plan, images).work_there.low


def minutes(seconds: float) -> str:
    return f"{-(-seconds // 60):,.0f} minutes"
