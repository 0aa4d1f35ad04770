"""What came out: trials, the evaluation on the test split, and who is champion."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

LABELS_CONFUSED = 100


@dataclass(frozen=True)
class Trial:
    """One training job of a tuning job; `objective` is its validation accuracy, None while it has none."""

    name: str
    status: str
    hyperparameters: Mapping[str, str]
    objective: float | None = None
    billable_seconds: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class LabelScore:
    """Scores of one label on the test split; `images` is how many of it there are."""

    precision: float
    recall: float
    f1: float
    images: int


@dataclass(frozen=True)
class ChampionScore:
    """The reigning champion on the challenger's test split; `error` if it could not be scored."""

    accuracy: float = 0.0
    macro_f1: float = 0.0
    accuracy_interval: tuple[float, float] = (0.0, 0.0)
    error: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """Scores on the test split; `confusion[i][j]` counts images of label i taken for label j."""

    images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_label: Mapping[str, LabelScore] = field(default_factory=dict)
    champion: ChampionScore | None = None

    def as_recorded(self) -> "Evaluation":
        """As an item of the table can hold it: of many labels, the confusion matrix stays in the bucket alone."""
        return self if len(self.labels) <= LABELS_CONFUSED else replace(self, confusion=())

    def beats_champion(self) -> bool:
        """Whether this model should reign: no champion to compare with, or more right answers on the same images."""
        if self.champion is None or self.champion.error:
            return True
        return (self.accuracy, self.macro_f1) > (self.champion.accuracy, self.champion.macro_f1)
