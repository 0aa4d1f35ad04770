"""Trials: the training jobs of a run, the heads that one trains, and what each epoch measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class Head:
    """One of the heads of a training job: the hyperparameters that vary among them, and its validation accuracy.

    The accuracy is None if its training diverged.
    """

    hyperparameters: Mapping[str, str]
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class Heads:
    """The heads of a training job; `best` is the number of the best, from 1, or 0 while there is none."""

    best: int = 0
    heads: tuple[Head, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One training job of a run; `stage` is `tune`, `refit` or `fine-tune`.

    `objective` is the accuracy that it measured on the validation images, None until there is one: what tuning raises.
    `model_uri` is where SageMaker put its model. If it trained several `heads`, it has the best's `hyperparameters`,
    and the first head has those that were chosen for the job; `best_head` is the best's number.
    """

    name: str
    status: str
    hyperparameters: Mapping[str, str]
    objective: float | None = None
    billable_seconds: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    stage: str = "tune"
    model_uri: str | None = None
    heads: tuple[Head, ...] = ()
    best_head: int = 0

    def with_heads(self, found: Heads) -> "Trial":
        """This trial, with the heads that it trained; unchanged if none of them is the best."""
        if not 1 <= found.best <= len(found.heads):
            return self
        values = {**self.hyperparameters, **found.heads[found.best - 1].hyperparameters}
        return replace(self, heads=found.heads, best_head=found.best, hyperparameters=values)

    @property
    def ended(self) -> bool:
        """Whether it has reached a final status."""
        return self.status in {"Completed", "Failed", "Stopped"}

    @property
    def usable(self) -> bool:
        """Whether it left a model: a stopped trial leaves its best so far."""
        return self.objective is not None and self.status in {"Completed", "Stopped"}


@dataclass(frozen=True)
class Epoch:
    """What a trial printed after a pass over the training images; `head` is 1 but in a job of several heads."""

    head: int
    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
