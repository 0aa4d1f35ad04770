"""Why a job failed, in words that say what to do: SageMaker's own often are a number."""

import re

KILLED = re.compile(r"exit code:? 137\b")
WHAT_TO_LOWER = (
    "It was killed, most likely for too little memory: lower ImageSize, CachedViews or, where jobs share a machine, "
    "ParallelTrials, or choose a larger instance type."
)
# What a job says that was given the work of another version of the trainer.
TRAINER_CHANGED = "made by another version of the trainer"


def explained(reason: str | None) -> str | None:
    """The reason, with what to lower where it tells of a job that was killed."""
    if reason is None or not KILLED.search(reason):
        return reason
    return f"{reason.rstrip('.')}. {WHAT_TO_LOWER}"
