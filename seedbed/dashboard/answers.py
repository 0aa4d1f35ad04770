"""The API's answers, as far as pages show them: functions/openapi.json describes them in full."""

from datetime import datetime

import msgspec

from ..watch.stage import ENDED

Interval = tuple[float, float]
STACK_DIGITS, STACK_AND_VERSION_DIGITS = 8, 20


def version_of(run_id: str) -> str:
    """The version of the dataset that a run is of, in the digits that its name has of it; empty for another name.

    On AWS the stack's digits stand before it.
    """
    parts = run_id.split("-")
    digits = parts[1] if len(parts) == 3 else ""
    return digits[STACK_DIGITS:] if len(digits) == STACK_AND_VERSION_DIGITS else digits


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer. What it holds beyond these fields is ignored."""


class Pending(Answer, frozen=True):
    """Uploads that wait for a run: when the first and the last of them came."""

    first_at: datetime
    last_at: datetime


class RunInShort(Answer, frozen=True):
    """A run in the list of runs; accuracies are shares, from 0 to 1."""

    run_id: str
    state: str
    created_at: datetime
    ended_at: datetime | None = None
    images: int | None = None
    test_accuracy: float | None = None
    won: bool = False
    cost_usd: float = 0.0
    reason: str | None = None
    notice: str | None = None

    @property
    def in_progress(self) -> bool:
        """Whether it has not ended."""
        return self.state not in ENDED


class RunList(Answer, frozen=True):
    """Runs, newest first; `next` is the cursor of older ones."""

    runs: tuple[RunInShort, ...]
    pending: Pending | None = None
    next: str | None = None


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

    hyperparameters: dict[str, str] = {}
    validation_accuracy: float | None = None


class Trial(Answer, frozen=True):
    """A training job of a tuning job. `objective` is its best head's validation accuracy, from 0 to 1."""

    name: str
    status: str
    hyperparameters: dict[str, str] = {}
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


class LabelScore(Answer, frozen=True):
    """Scores of one label on its test images."""

    precision: float
    recall: float
    f1: float
    images: int


class Scores(Answer, frozen=True):
    """Accuracy and macro-F1 on a set of photographs."""

    accuracy: float
    macro_f1: float


class UnderChanges(Answer, frozen=True):
    """Scores on the same photographs under harmless changes, by the change's name, and their means."""

    images: int
    accuracy: float
    macro_f1: float
    weakest: str = ""
    by_change: dict[str, Scores] = {}
    unchanged: Scores | None = None


class Sureness(Answer, frozen=True):
    """Shares of photographs: what a model is sure of, what of that is wrong, and what is unlike all it learnt."""

    images: int
    sure: float
    wrong: float | None = None
    unlike: float = 0.0


class WhenSure(Answer, frozen=True):
    """From which confidence on a model is sure, None for never, and how that holds on its test photographs."""

    error_rate: float
    test: Sureness
    confidence: float | None = None
    changed: Sureness | None = None


class ChampionScore(Answer, frozen=True):
    """The champion's scores on the new model's test images; `error` if it could not be scored."""

    accuracy: float = 0.0
    macro_f1: float = 0.0
    accuracy_interval: Interval = (0.0, 0.0)
    error: str | None = None
    changes: UnderChanges | None = None


class Export(Answer, frozen=True):
    """The model in another format, or `error` if it could not be exported; `agreement` is a share of photographs."""

    format: str
    file: str | None = None
    bytes: int | None = None
    largest_difference: float | None = None
    agreement: float | None = None
    error: str | None = None
    files: dict[str, str] = {}


class Evaluation(Answer, frozen=True):
    """Scores on the test images; `confusion[i][j]` counts images of label i that were predicted as label j."""

    images: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_label: dict[str, LabelScore] = {}
    champion: ChampionScore | None = None
    single_view: Scores | None = None
    views: int = 1
    exports: tuple[Export, ...] = ()
    changes: UnderChanges | None = None
    when_sure: WhenSure | None = None


class DatasetInShort(Answer, frozen=True):
    """How many images were seen and used, and their labels."""

    images: int
    used: int
    labels: tuple[str, ...] = ()


class Model(Answer, frozen=True):
    """A model that was the best for a time. It beat `champion_before`, which scored `champion` on the same images."""

    run_id: str
    created_at: datetime
    ended_at: datetime | None = None
    model_uri: str | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    test_accuracy_interval: Interval | None = None
    macro_f1: float | None = None
    views: int | None = None
    changes: UnderChanges | None = None
    hyperparameters: dict[str, str] | None = None
    dataset: DatasetInShort | None = None
    cost_usd: float = 0.0
    report_uri: str | None = None
    champion_before: str | None = None
    champion: ChampionScore | None = None


class ModelList(Answer, frozen=True):
    """The best model and those before it, newest first; `next` is the cursor of older ones."""

    models: tuple[Model, ...]
    next: str | None = None


class Excluded(Answer, frozen=True):
    """A file, and why it was left out."""

    file: str
    reason: str


class Split(Answer, frozen=True):
    """How many images of a label are in each split."""

    train: int = 0
    validation: int = 0
    test: int = 0


class SizeRange(Answer, frozen=True):
    """How many images have a longer side of `least` to `most` pixels."""

    least: int
    most: int
    images: int


class DatasetReport(Answer, frozen=True):
    """What became of the images: at most 100 files of each kind are listed, the `more_…` count the rest."""

    images: int
    used: int
    labels: dict[str, Split] = {}
    duplicates: tuple[Excluded, ...] = ()
    refused: tuple[Excluded, ...] = ()
    near_duplicates: tuple[Excluded, ...] = ()
    more_duplicates: int = 0
    more_refused: int = 0
    more_near_duplicates: int = 0
    warnings: tuple[str, ...] = ()
    refused_kinds: dict[str, int] = {}
    likely_wrong_labels: int = 0
    sizes: tuple[SizeRange, ...] = ()
    label_sizes: dict[str, tuple[int, int, int]] = {}


class FineTuning(Answer, frozen=True):
    """How the whole network is trained after the heads."""

    trials: int
    epochs: int
    search_space: str = ""


class Plan(Answer, frozen=True):
    """What a run was to do; `trials` heads, `heads_per_job` of them by each training job, on `head_sample` images.

    With more than one of `prepare_instances`, a job merges what they prepared; with 0 `head_sample`, heads see all.
    """

    trials: int
    heads_per_job: int = 1
    prepare_instances: int = 1
    head_sample: int = 0
    fine_tuning: FineTuning | None = None
    search_space: str = ""


class Amount(Answer, frozen=True):
    """How many images a run was started on."""

    images: int = 0


class Progress(Answer, frozen=True):
    """How far a processing job is: `done` of `total` images."""

    done: int
    total: int


class Run(Answer, frozen=True):
    """A run in full, with its trials. `cost_usd` is its cost so far, `expected_usd` what was expected, from and to."""

    run_id: str
    state: str
    created_at: datetime
    plan: Plan
    ended_at: datetime | None = None
    reason: str | None = None
    notice: str | None = None
    won: bool = False
    cost_usd: float = 0.0
    expected_usd: Interval | None = None
    stage_since: datetime | None = None
    given: Amount | None = None
    model_uri: str | None = None
    report_uri: str | None = None
    test_accuracy: float | None = None
    validation_accuracy: float | None = None
    hyperparameters: dict[str, str] | None = None
    dataset: DatasetReport | None = None
    evaluation: Evaluation | None = None
    champion_before: str | None = None
    trials: tuple[Trial, ...] = ()
    progress: Progress | None = None

    @property
    def in_progress(self) -> bool:
        """Whether it has not ended."""
        return self.state not in ENDED


class File(Answer, frozen=True):
    """An image that a run left out, or predicted wrongly. `url` shows it for a quarter of an hour.

    `picture_url` shows a mistake small, and `heat_map_url` where the model looked.
    """

    kind: str
    file: str
    url: str | None = None
    reason: str | None = None
    other: str | None = None
    other_url: str | None = None
    label: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    suggested: str | None = None
    thumbnail: int | None = None
    other_thumbnail: int | None = None
    picture_url: str | None = None
    heat_map_url: str | None = None


class TestImage(Answer, frozen=True):
    """An image of a run's test split, and what its model takes it for. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    predicted: str
    confidence: float


class TestImages(Answer, frozen=True):
    """Test images of a run, mistakes first; `images` counts all, `next` is the cursor of further ones."""

    run_id: str
    images: int
    predictions: tuple[TestImage, ...]
    next: str | None = None


class Compared(Answer, frozen=True):
    """One of two runs that are compared: its scores on the images that both were tested on."""

    run_id: str
    test_images: int
    accuracy: float
    accuracy_interval: Interval
    confusion: tuple[tuple[int, ...], ...] = ()


class Differing(Answer, frozen=True):
    """An image that only one of two models predicts right. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    first: str
    second: str


class Comparison(Answer, frozen=True):
    """Two runs' models on the same images; `difference` is the second's accuracy less the first's."""

    images: int
    labels: tuple[str, ...]
    first: Compared
    second: Compared
    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
    difference: float
    difference_interval: Interval
    p_value: float
    differing: tuple[Differing, ...] = ()


class ThumbnailSheet(Answer, frozen=True):
    """Thumbnails in one picture, `url`: squares of `side` pixels, numbered row by row from 0."""

    url: str
    side: int
    columns: int
    rows: int


class FileList(Answer, frozen=True):
    """A run's images of some kinds; `counts` counts all by kind, `next` is the cursor of further ones.

    `thumbnails` shows those that have a number in it.
    """

    run_id: str
    counts: dict[str, int]
    files: tuple[File, ...]
    next: str | None = None
    thumbnails: ThumbnailSheet | None = None


class Dataset(Answer, frozen=True):
    """A version of the dataset, with its runs, newest first; `mosaic_url` shows it for a quarter of an hour."""

    version: str
    runs: tuple[RunInShort, ...]
    report: DatasetReport | None = None
    mosaic_url: str | None = None


class Health(Answer, frozen=True):
    """The run in progress and what it waits for, and the best model's run."""

    status: str
    open_run: str | None = None
    waits_for: str | None = None
    best_model: str | None = None
    pending: Pending | None = None


class Prediction(Answer, frozen=True):
    """The label that a model gives an image, its confidence, from 0 to 1, and the probability of each label.

    `sure` is None for a model that can't tell; `reason` is why it is not sure, "confidence" or "unlike".
    """

    label: str
    confidence: float
    probabilities: dict[str, float] = {}
    sure: bool | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


class PredictionList(Answer, frozen=True):
    """An answer for each image that was sent, in their order."""

    predictions: tuple[Prediction, ...]
