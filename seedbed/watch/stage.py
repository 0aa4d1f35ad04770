"""A run's stages, and how far one is."""

from dataclasses import dataclass

ENDED = {"Completed", "Failed", "Stopped", "Refused"}
STAGES = {
    "Preparing": "prepare",
    "Merging": "merge",
    "Tuning": "tune",
    "Refitting": "refit",
    "FineTuning": "fine-tune",
    "Evaluating": "evaluate",
}
"""By a run's state, the stage that it is in."""


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is: `done` of `total`, both 0 while unknown."""

    stage: str
    done: int = 0
    total: int = 0
    note: str = ""


def best_so_far(accuracy: float) -> str:
    """The words for the best validation accuracy, a share, of the trials so far."""
    return f"best so far {accuracy:.1%} on validation"
