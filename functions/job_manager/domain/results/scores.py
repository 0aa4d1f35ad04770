"""The scores of a model: by label, under changes, when it is sure, beside the champion, and as exported."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

ITEMS_KEPT = 20
NAME_KEPT = 100


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
