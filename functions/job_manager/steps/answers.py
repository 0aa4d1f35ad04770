"""What the API answers, as types: openapi.json is made from them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from ..domain.dataset import DatasetReport
from ..domain.result import ChampionScore, Epoch, Progress, SingleView, Trial, UnderChanges, WhenSure
from ..domain.run import Run, RunState
from ..domain.settling import PendingChange


@dataclass(frozen=True)
class DatasetInShort:
    """The images that a model was made from: how many were seen, how many were used, and their labels."""

    images: int
    used: int
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A run's model: its address, its scores and what it was made from. What is not known yet is null.

    `validation_accuracy` is the model's as it is used, averaged over `views`, on the images that it was chosen on; null
    in older runs. `objective` is what the best trial measured on them in training, from one view.
    """

    run_id: str
    model_uri: str | None
    model_sha256: str | None
    objective: float | None
    validation_accuracy: float | None
    test_accuracy: float | None
    test_accuracy_interval: tuple[float, float] | None
    macro_f1: float | None
    single_view: SingleView | None
    views: int | None
    changes: UnderChanges | None
    when_sure: WhenSure | None
    hyperparameters: Mapping[str, str] | None
    dataset: DatasetInShort | None
    cost_usd: float
    created_at: datetime
    report_uri: str | None
    model_card_uri: str | None
    mosaic_uri: str | None


@dataclass(frozen=True)
class RunInShort:
    """A run in short; `notice` says what it waits for, or why it departed from its plan.

    `cost_usd` is what it has cost so far, and `expected_usd` what it was expected to cost when it started, from and to,
    null if it costs nothing. `notified` is whether anybody could have heard of its end, null until that was announced.
    `request_id` is that of the request which it was started for, null if an upload started it.
    """

    run_id: str
    state: RunState
    created_at: datetime
    ended_at: datetime | None
    images: int | None
    test_accuracy: float | None
    won: bool
    cost_usd: float
    expected_usd: tuple[float, float] | None
    reason: str | None
    notice: str | None
    notified: bool | None
    request_id: str | None


@dataclass(frozen=True)
class RunList:
    """Runs, newest first, and the change that waits for a run; `next` is the cursor of older runs, if there are any."""

    runs: tuple[RunInShort, ...]
    pending: PendingChange | None
    next: str | None


@dataclass(frozen=True, kw_only=True)
class Champion(Model):
    """A model that was the best for a time. It beat `champion_before`, which scored `champion` on the same images."""

    ended_at: datetime | None
    champion_before: str | None
    champion: ChampionScore | None


@dataclass(frozen=True)
class ModelList:
    """The best model and those before it, newest first; `next` is the cursor of older ones, if there are any."""

    models: tuple[Champion, ...]
    next: str | None


@dataclass(frozen=True)
class TrialWithEpochs(Trial):
    """A trial; `epochs` is its learning curve, null unless the request asks for it."""

    epochs: tuple[Epoch, ...] | None = None


@dataclass(frozen=True)
class TrialList:
    """A run's trials, in the order in which they were started; `next` is the cursor of later ones, if there are any."""

    run_id: str
    state: RunState
    trials: tuple[TrialWithEpochs, ...]
    next: str | None


class FileKind(StrEnum):
    """Why an image is listed."""

    REFUSED = "refused"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    MISTAKE = "mistake"
    LIKELY_WRONG = "likely_wrong"
    SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class File:
    """An image that a run left out, predicted wrongly, or shows otherwise. `url` shows it for a quarter of an hour.

    A mistake has its `label`, what it was `predicted` to be, and with which `confidence`; `picture_url` shows it small,
    and `heat_map_url` where the model looked. An image whose label is likely wrong has its `label`, the one `suggested`
    by other images, and with which `confidence`; a sample of a label has its `label`. All others have a `reason`, which
    may name an `other` image. `thumbnail` and `other_thumbnail` are the numbers of their thumbnails, if they have any.
    """

    kind: FileKind
    file: str
    url: str | None
    reason: str | None = None
    other: str | None = None
    other_url: str | None = None
    label: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    picture_url: str | None = None
    heat_map_url: str | None = None
    suggested: str | None = None
    thumbnail: int | None = None
    other_thumbnail: int | None = None


@dataclass(frozen=True)
class ThumbnailSheet:
    """Thumbnails in one picture, `url`: squares of `side` pixels, numbered row by row from 0."""

    url: str
    side: int
    columns: int
    rows: int


@dataclass(frozen=True)
class FileList:
    """A run's images of these kinds; `counts` counts all by kind, `next` is the cursor of further ones, if any.

    `thumbnails` is null until there are any.
    """

    run_id: str
    counts: Mapping[str, int]
    files: tuple[File, ...]
    next: str | None
    thumbnails: ThumbnailSheet | None = None


@dataclass(frozen=True)
class PredictedImage:
    """An image of a run's test split, and what its model takes it for. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class PredictionList:
    """A run's predictions for its test images, or for those of a label: mistakes first, the most confident before.

    `images` is how many there are; `next` is the cursor of further ones, if there are any.
    """

    run_id: str
    images: int
    predictions: tuple[PredictedImage, ...]
    next: str | None


@dataclass(frozen=True)
class Compared:
    """One of two runs that are compared: its scores on the images that both have in their test splits.

    `test_images` is how many its own test split has. `confusion[i][j]` counts images of label i predicted as label j;
    it is empty for more than 100 labels.
    """

    run_id: str
    test_images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class DifferentlyPredicted:
    """An image that only one of two models predicts right. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs' models on the same images: those that are in both test splits, unchanged.

    `difference` is the second's accuracy less the first's, and `p_value` is how often two equally good models differ at
    least as much (McNemar's test, exact). `differing` are up to 48 of the images that only one predicts right.
    """

    images: int
    labels: tuple[str, ...]
    first: Compared
    second: Compared
    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
    difference: float
    difference_interval: tuple[float, float]
    p_value: float
    differing: tuple[DifferentlyPredicted, ...]


@dataclass(frozen=True)
class Dataset:
    """A version of the dataset: its runs, newest first, and what the latest made of it, null until it is prepared.

    `mosaic_url` is a picture of its images, for a quarter of an hour.
    """

    version: str
    runs: tuple[RunInShort, ...]
    report: DatasetReport | None
    mosaic_url: str | None


@dataclass(frozen=True)
class Prediction:
    """An image's most probable label, its probability as `confidence`, and the probabilities of all labels.

    If the model is not `sure`, the `reason` is its confidence, or that the image is unlike those that it learnt from;
    the probabilities of such an image mean little, and are drawn towards equal ones. Older models leave `sure` null.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    sure: bool | None
    reason: Literal["confidence", "unlike"] | None


@dataclass(frozen=True)
class Predictions:
    """The best model's prediction for each image, in the order of the request."""

    predictions: tuple[Prediction, ...]


@dataclass(frozen=True)
class Health:
    """The API can read its table. The run in progress, what it waits for, and the run of the best model."""

    status: Literal["ok"]
    open_run: str | None
    waits_for: str | None
    best_model: str | None
    pending: PendingChange | None


@dataclass(frozen=True)
class Accepted:
    """What was asked for will happen; the message says when."""

    message: str


@dataclass(frozen=True)
class RunRequested:
    """A run was asked for, by this name; `run_id` is null until it has started. The message says what to expect."""

    message: str
    request_id: str
    run_id: str | None


@dataclass(frozen=True)
class Problem:
    """Why a request was not answered (RFC 9457); `detail` says what to do, and `message` the same to older clients."""

    type: str
    title: str
    status: int
    detail: str
    message: str


ANSWERED_OTHERWISE = {"best_trial", "waits_for", "delay"}
OF_THE_RUN = [(field.name, field.type) for field in fields(Run) if field.name not in ANSWERED_OTHERWISE]
RunInFull: Any = make_dataclass(
    "RunInFull",
    [*OF_THE_RUN, ("trials", tuple[Trial, ...]), ("progress", Progress | None)],
    bases=(Model,),
    frozen=True,
    kw_only=True,
)
RunInFull.__doc__ = "A run in full: its model, what is recorded of it, its trials, and how far its processing job is."
