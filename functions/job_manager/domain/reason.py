"""Why a job failed, in words that say what to do: SageMaker often gives only an exit code."""

import re

KILLED = re.compile(r"exit code:? 137\b")
WHAT_TO_LOWER = (
    "It was killed, most likely because it ran out of memory: lower ImageSize, CachedViews or, where jobs share a "
    "machine, ParallelTrials, or choose a larger instance type."
)
# Part of the message of a job whose input was written by another version of the trainer.
OTHER_TRAINER = "made by another version of the trainer"
TRAINER_CHANGED = "The trainer was changed while the run was in progress."


def names_other_trainer(reason: str | None) -> bool:
    """Whether a job failed because the trainer was changed after an earlier job of the run."""
    return reason is not None and OTHER_TRAINER in reason


def explained(reason: str | None) -> str | None:
    """The reason, with advice if the job was killed."""
    if reason is None or not KILLED.search(reason):
        return reason
    return f"{reason.rstrip('.')}. {WHAT_TO_LOWER}"
