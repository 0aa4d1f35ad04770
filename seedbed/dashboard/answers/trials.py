"""A run's trials in the API's answers."""

from datetime import datetime

from msgspec import field

from .part import Answer


class Epoch(Answer, frozen=True):
    """A trial after one pass over the training images; `head` counts from 1 in a job of several heads."""

    head: int
    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


class Head(Answer, frozen=True):
    """One of a training job's heads; its accuracy is None if its training diverged."""

    hyperparameters: dict[str, str] = field(default_factory=dict)
    validation_accuracy: float | None = None


class Trial(Answer, frozen=True):
    """A training job of a tuning job. `objective` is its best head's validation accuracy, from 0 to 1."""

    name: str
    status: str
    hyperparameters: dict[str, str] = field(default_factory=dict)
    objective: float | None = None
    billable_seconds: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    stage: str = "tune"
    heads: tuple[Head, ...] = ()
    best_head: int = 0
    epochs: tuple[Epoch, ...] | None = None

    @property
    def ended(self) -> bool:
        """Whether it has reached a final status."""
        return self.status in {"Completed", "Failed", "Stopped"}


class TrialList(Answer, frozen=True):
    """A run's trials, in the order in which they were started."""

    run_id: str
    state: str
    trials: tuple[Trial, ...]
