"""The evaluation of a run's model on the test split, and whether the model beats the champion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from .scores import ITEMS_KEPT, Calibration, ChampionScore, Export, LabelScore, SingleView, UnderChanges, WhenSure

LABELS_CONFUSED = 100
TEXT_KEPT = 500

Comparison = tuple[float, float]
"""An accuracy, and the macro-F1 that decides on a tie."""


@dataclass(frozen=True)
class Evaluation:
    """Scores on the test split; `confusion[i][j]` counts images of label i predicted as label j.

    They are the model's as it is used: averaged over `views` turned views, its logits divided by `temperature`.
    `members` are the networks that it averages, and `model_sha256` is its archive's SHA-256. Raises ValueError if that
    is not one. `files` has the SHA-256 of model.json and the model card; older runs have none. `changes` is None if no
    photograph was changed. `when_sure` is None if there were too few validation photographs to tell, and in older runs.
    `validation_accuracy` is the model's as it is used on the validation images, which it was chosen on; None in older
    runs.
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
