"""Runs, and versions of the dataset with theirs, in the API's answers."""

from datetime import datetime

from ...watch.stage import ENDED
from .dataset import DatasetReport
from .evaluation import Evaluation
from .part import Answer, Interval
from .trials import Trial

STACK_DIGITS, STACK_AND_VERSION_DIGITS = 8, 20


def version_of(run_id: str) -> str:
    """The version of the dataset that a run is of, in the digits that its name has of it; empty for another name.

    On AWS the stack's digits stand before it.
    """
    parts = run_id.split("-")
    digits = parts[1] if len(parts) == 3 else ""
    return digits[STACK_DIGITS:] if len(digits) == STACK_AND_VERSION_DIGITS else digits


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
