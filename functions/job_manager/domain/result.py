"""The results: trials, the evaluation on the test split, and whether the model beats the champion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

LABELS_CONFUSED = 100
ITEMS_KEPT = 20
TEXT_KEPT, NAME_KEPT = 500, 100

Comparison = tuple[float, float]
"""An accuracy, and the macro-F1 that decides on a tie."""


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


@dataclass(frozen=True)
class Progress:
    """How far a processing job is: `done` of `total` images."""

    done: int
    total: int


@dataclass(frozen=True)
class Mistake:
    """An image of the test split that the model took for one of another label, and how sure it was.

    `picture` and `heat_map`, which shows where the model looked, are files beside the scores; older runs have none.
    """

    file: str
    truth: str
    predicted: str
    confidence: float
    picture: str | None = None
    heat_map: str | None = None


@dataclass(frozen=True)
class LabelScore:
    """Scores of one label on the test split; `images` is how many images of it there are."""

    precision: float
    recall: float
    f1: float
    images: int


@dataclass(frozen=True)
class ChangeScore:
    """Scores on the photographs of a sample, all of them changed in the same way."""

    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class UnderChanges:
    """Scores on a sample of `images` test photographs under harmless changes, by the change's name, and their means.

    `unchanged` are those of the same photographs as they are, and `weakest` is the change with the lowest accuracy.
    """

    images: int
    accuracy: float
    macro_f1: float
    weakest: str
    by_change: Mapping[str, ChangeScore]
    unchanged: ChangeScore

    def comparable_with(self, other: "UnderChanges") -> bool:
        """Whether both are means over the same changes of as many photographs."""
        return self.images == other.images and self.by_change.keys() == other.by_change.keys()

    def as_recorded(self) -> "UnderChanges":
        """These scores, cut to fit into an item of the table."""
        kept = {name[:NAME_KEPT]: scores for name, scores in islice(self.by_change.items(), ITEMS_KEPT)}
        return replace(self, weakest=self.weakest[:NAME_KEPT], by_change=kept)


@dataclass(frozen=True)
class ChampionScore:
    """The champion's scores on the new model's test split; `error` if it could not be scored."""

    accuracy: float = 0.0
    macro_f1: float = 0.0
    accuracy_interval: tuple[float, float] = (0.0, 0.0)
    error: str | None = None
    changes: UnderChanges | None = None


@dataclass(frozen=True)
class SingleView:
    """Scores of the model on the images alone, without averaging over turned views."""

    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class CalibrationErrors:
    """Expected calibration error before and after temperature scaling."""

    ece_before: float
    ece_after: float


@dataclass(frozen=True)
class Calibration(CalibrationErrors):
    """The errors on the test photographs, and on changed ones; None in older runs, and if none were changed."""

    changed: CalibrationErrors | None = None


@dataclass(frozen=True)
class Sureness:
    """The shares of `images` photographs that a model is sure of, and that are unlike what it learnt from.

    `wrong` is the share of those it is sure of that it has wrong; None if it is sure of none.
    """

    images: int
    sure: float
    wrong: float | None
    unlike: float


@dataclass(frozen=True)
class WhenSure:
    """When a model is sure: if its confidence is at least `confidence`, None for never, and the image is not unlike.

    It was fitted on validation photographs: to be wrong at most at `error_rate`, and to take a photograph for unlike
    what it learnt from at `false_alarm_rate`. `test` is how that holds on test photographs, and `changed` on changed
    ones.
    """

    error_rate: float
    false_alarm_rate: float
    confidence: float | None
    test: Sureness
    changed: Sureness | None = None


@dataclass(frozen=True)
class Export:
    """The model in another format, or `error` if the export failed.

    `largest_difference` is between its probabilities and the model's; `agreement` is the share of validation
    photographs for which both predict the same label. `files` has the SHA-256 of each file; older runs have none.
    """

    format: str
    file: str | None = None
    bytes: int | None = None
    largest_difference: float | None = None
    agreement: float | None = None
    error: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Scores on the test split; `confusion[i][j]` counts images of label i predicted as label j.

    They are the model's as it is used: averaged over `views` turned views, its logits divided by `temperature`.
    `members` are the networks that it averages, and `model_sha256` is its archive's SHA-256. Raises ValueError if that
    is not one. `files` has the SHA-256 of model.json and the model card; older runs have none. `changes` is None if no
    photograph was changed. `when_sure` is None if there were too few validation photographs to tell, and in older runs.
    `validation_accuracy` is the model's as it is used on the validation images, which it was
    chosen on; None in older runs.
    """

    images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_label: Mapping[str, LabelScore] = field(default_factory=dict)
    champion: ChampionScore | None = None
    single_view: SingleView | None = None
    views: int = 1
    temperature: float | None = None
    calibration: Calibration | None = None
    exports: tuple[Export, ...] = ()
    members: tuple[str, ...] = ()
    model_sha256: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    changes: UnderChanges | None = None
    validation_accuracy: float | None = None
    when_sure: WhenSure | None = None

    def __post_init__(self) -> None:
        if self.model_sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", self.model_sha256):
            raise ValueError("model_sha256 is not 64 lower-case hex digits")

    def as_recorded(self) -> "Evaluation":
        """This evaluation, cut to fit into an item of the table: with many labels the confusion matrix is left out."""
        exports = tuple(
            replace(made, error=made.error and made.error[:TEXT_KEPT], files=_cut(made.files))
            for made in self.exports[:ITEMS_KEPT]
        )
        members = tuple(name[:TEXT_KEPT] for name in self.members[:ITEMS_KEPT])
        changes, champion = self.changes and self.changes.as_recorded(), self.champion
        if champion and champion.changes:
            champion = replace(champion, changes=champion.changes.as_recorded())
        kept = replace(self, exports=exports, members=members, files=_cut(self.files))
        kept = replace(kept, changes=changes, champion=champion)
        return kept if len(self.labels) <= LABELS_CONFUSED else replace(kept, confusion=())

    def beats_champion(self) -> bool:
        """Whether this model should become the champion: there is none to compare with, or it scores higher.

        On a tie of the compared accuracies the macro-F1 decides.
        """
        if self.champion is None or self.champion.error:
            return True
        compared, others = self.compared_with(self.champion)
        return compared > others

    def compared_with(self, champion: ChampionScore) -> tuple[Comparison, Comparison]:
        """What this model and the champion are compared by.

        It is the mean of the scores on the test split and under changes if both were scored under the same changes, or
        else the scores on the test split alone.
        """
        ours, theirs = self.changes, champion.changes
        if ours is None or theirs is None or not ours.comparable_with(theirs):
            return (self.accuracy, self.macro_f1), (champion.accuracy, champion.macro_f1)
        return (
            (mean(self.accuracy, ours.accuracy), mean(self.macro_f1, ours.macro_f1)),
            (mean(champion.accuracy, theirs.accuracy), mean(champion.macro_f1, theirs.macro_f1)),
        )


def mean(one: float, other: float) -> float:
    """The mean of two scores of four digits, without an error of rounding that would break a tie."""
    return round((one + other) / 2, 5)


def _cut(files: Mapping[str, str]) -> dict[str, str]:
    """Files with their digests: the first ones. What is longer than a name and a digest can be is left out."""
    first = islice(files.items(), ITEMS_KEPT)
    return {name: digest for name, digest in first if len(name) + len(digest) <= TEXT_KEPT}
