"""Why a job failed, in words that say what to do: SageMaker's own often are a number."""

import re

KILLED = re.compile(r"exit code:? 137\b")
WHAT_TO_LOWER = (
    "It was killed, most likely for too little memory: lower ImageSize, CachedViews or, where jobs share a machine, "
    "ParallelTrials, or choose a larger instance type."
)
# What a job says whose input was written by another version of the trainer.
OTHER_TRAINER = "made by another version of the trainer"
TRAINER_CHANGED = "The trainer was changed while the run was in progress."


def tells_of_another_trainer(reason: str | None) -> bool:
    """Whether a job failed since the trainer was changed after the jobs before it."""
    return reason is not None and OTHER_TRAINER in reason


def explained(reason: str | None) -> str | None:
    """The reason, with what to lower where it tells of a job that was killed."""
    if reason is None or not KILLED.search(reason):
        return reason
    return f"{reason.rstrip('.')}. {WHAT_TO_LOWER}"
