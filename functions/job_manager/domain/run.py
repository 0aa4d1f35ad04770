"""A run, which turns one dataset version into a model, as a state machine."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from . import layout
from .cost import price
from .dataset import DatasetReport
from .errors import Conflict
from .plan import Machine, Plan
from .refusal import Delay
from .results.evaluation import Evaluation
from .results.trial import Trial
from .run_request import RunRequest
from .volumes import Amount

PREFIX = "sb-"
PREFIX_AND_VERSION = 23
RUN_ID = re.compile(r"sb-[0-9a-f]{16}(?:[0-9a-f]{4})?-[0-9]{1,9}")


class RunState(StrEnum):
    """A run's state. It only ever moves forward."""

    PREPARING = "Preparing"
    MERGING = "Merging"
    TUNING = "Tuning"
    REFITTING = "Refitting"
    FINE_TUNING = "FineTuning"
    EVALUATING = "Evaluating"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    REFUSED = "Refused"

    @property
    def ended(self) -> bool:
        """Whether this is a final state."""
        return self not in NEXT


WITHOUT_SUCCESS = frozenset({RunState.FAILED, RunState.STOPPED})
NEXT: Mapping[RunState, frozenset[RunState]] = {
    RunState.PREPARING: WITHOUT_SUCCESS | {RunState.MERGING, RunState.TUNING, RunState.REFUSED},
    RunState.MERGING: WITHOUT_SUCCESS | {RunState.TUNING},
    RunState.TUNING: WITHOUT_SUCCESS | {RunState.REFITTING, RunState.FINE_TUNING, RunState.EVALUATING},
    RunState.REFITTING: WITHOUT_SUCCESS | {RunState.FINE_TUNING, RunState.EVALUATING},
    RunState.FINE_TUNING: WITHOUT_SUCCESS | {RunState.EVALUATING},
    RunState.EVALUATING: WITHOUT_SUCCESS | {RunState.COMPLETED},
}

STAGES_WITH_TRIALS = {RunState.TUNING: "tune", RunState.REFITTING: "refit", RunState.FINE_TUNING: "fine-tune"}
TRAINING_HEADS = {RunState.TUNING, RunState.REFITTING}

JOBS: Mapping[RunState, Callable[[str], str]] = {
    RunState.PREPARING: layout.prepare_job,
    RunState.MERGING: layout.merge_job,
    RunState.TUNING: layout.tuning_job,
    RunState.REFITTING: layout.refit_job,
    RunState.FINE_TUNING: layout.fine_tuning_job,
    RunState.EVALUATING: layout.evaluation_job,
}


@dataclass(frozen=True)
class Run:
    """One attempt at turning a dataset version into a model.

    `run_id` is also the name of the tuning job of the heads. `best_head` is the best trial of that job, or the job that
    trained it again on all images if the trials saw a sample; `best_trial` is the one whose model is evaluated, and
    `rival` the second best of fine-tuning. `notice` says why the run departed from its plan, `waits_for` what its job
    waits for, and `delay` since when SageMaker refuses to create that job, if it does. `champion_before` is the run
    whose model it has to beat, and `won` whether it did. `training_seconds`, `fine_tuning_seconds` and
    `processing_seconds` are billable, summed over jobs. `content` is the digest of its images, empty for a run that
    only reports refused files; `strays` is the digest of those files. A refused run never started. If `begins_again`,
    its dataset gets another attempt by itself, whose `repeats` is one more. `stage_since` is when its present stage
    began; None in its first stage and once it ended. `expected_usd` is what it was expected to cost when it started,
    from and to; None for a run that was refused or costs nothing. `given` is how many images it was started on, and
    their size. `notified` is whether anybody could have heard of its end, None until that was announced. `avoids` are
    the instance types that AWS had none of in this attempt or the ones before; `price_difference` is how much more, or
    less, its jobs cost as they did not run on the planned machines. `request` is a person's request that it was started
    for, None if an upload started it.
    """

    run_id: str
    plan: Plan
    created_at: datetime
    state: RunState = RunState.PREPARING
    dataset: DatasetReport | None = None
    warm_start_from: tuple[str, ...] = ()
    champion_before: str | None = None
    best_trial: Trial | None = None
    evaluation: Evaluation | None = None
    model_uri: str | None = None
    won: bool = False
    training_seconds: float = 0.0
    processing_seconds: float = 0.0
    ended_at: datetime | None = None
    reason: str | None = None
    content: str = ""
    best_head: Trial | None = None
    rival: Trial | None = None
    fine_tuning_seconds: float = 0.0
    notice: str | None = None
    strays: str = ""
    waits_for: str | None = None
    begins_again: bool = False
    delay: Delay | None = None
    repeats: int = 0
    stage_since: datetime | None = None
    expected_usd: tuple[float, float] | None = None
    given: Amount | None = None
    notified: bool | None = None
    avoids: tuple[str, ...] = ()
    price_difference: float = 0.0
    request: RunRequest | None = None

    @property
    def attempt(self) -> int:
        """The number of this attempt at the dataset version, from 1."""
        return int(self.run_id.rpartition("-")[2])

    @property
    def cost_usd(self) -> float:
        """What its jobs have cost so far."""
        cost = price(self.plan.training, self.training_seconds) + price(self.plan.processing, self.processing_seconds)
        if self.plan.fine_tuning:
            cost += price(self.plan.fine_tuning.machine, self.fine_tuning_seconds)
        return cost + self.price_difference

    @property
    def machine(self) -> Machine:
        """The planned machine of its present stage."""
        if self.state in TRAINING_HEADS:
            return self.plan.training
        if self.state is RunState.FINE_TUNING and self.plan.fine_tuning:
            return self.plan.fine_tuning.machine
        return self.plan.processing

    def on(self, machine: Machine) -> "Run":
        """This run, with another machine for its present stage."""
        if self.state in TRAINING_HEADS:
            return replace(self, plan=replace(self.plan, training=machine))
        if self.state is RunState.FINE_TUNING and self.plan.fine_tuning:
            return replace(self, plan=replace(self.plan, fine_tuning=replace(self.plan.fine_tuning, machine=machine)))
        return replace(self, plan=replace(self.plan, processing=machine))

    @property
    def samples(self) -> bool:
        """Whether its trials train on a sample of the training images, which prepare has counted."""
        return 0 < self.plan.head_sample < self.training_images

    @property
    def training_images(self) -> int:
        """How many images its training split has; 0 before prepare has counted them."""
        return sum(split.train for split in self.dataset.labels.values()) if self.dataset else 0

    @property
    def in_stage_since(self) -> datetime:
        """When its present stage began."""
        return self.stage_since or self.created_at

    @property
    def job(self) -> str:
        """The name of its present stage's job, whether that was started or not."""
        return JOBS[self.state](self.run_id)

    @property
    def model_sha256(self) -> str | None:
        """The SHA-256 of the archive at `model_uri`; None before evaluation and in older runs."""
        return self.evaluation.model_sha256 if self.evaluation else None

    @property
    def report_uri(self) -> str | None:
        """Where the evaluation report is."""
        return self._beside_model(layout.report(self.run_id))

    @property
    def model_card_uri(self) -> str | None:
        """Where the model card is."""
        return self._beside_model(layout.model_card(self.run_id))

    @property
    def mosaic_uri(self) -> str | None:
        """Where the picture of the dataset is."""
        return self._beside_model(layout.mosaic(self.run_id))

    def place_of(self, key: str) -> str:
        """The address of an object of this run; the key alone if it has no model, and so none names the bucket."""
        return self._beside_model(key) or key

    def _beside_model(self, key: str) -> str | None:
        return self.model_uri and self.model_uri.removesuffix(layout.model(self.run_id)) + key

    def noted(self, sentence: str) -> "Run":
        """This run, with this sentence too in its notice."""
        return replace(self, notice=f"{self.notice} {sentence}" if self.notice else sentence)

    def waiting(self, reason: str | None, delay: Delay | None = None) -> "Run":
        """This run, with what its job waits for; None if it waits for nothing."""
        return replace(self, waits_for=reason, delay=delay)

    def moved(self, state: RunState, **changes: object) -> "Run":
        """This run in a later state. Raises Conflict if its present state can't lead there."""
        if state not in NEXT.get(self.state, frozenset()):
            raise Conflict(f"Run {self.run_id} is {self.state} and can't become {state}.")
        return replace(self, state=state, waits_for=None, delay=None, stage_since=None, **changes)  # type: ignore[arg-type]

    def ended(self, state: RunState, at: datetime, reason: str | None = None, **changes: object) -> "Run":
        """This run in a final state, with the reason unless it completed; never ended before it was created."""
        return self.moved(state, ended_at=max(at, self.created_at), reason=reason, **changes)


@dataclass(frozen=True)
class Record:
    """A run that has ended, with its trials."""

    run: Run
    trials: tuple[Trial, ...]


def spent(run: Run, trials: Iterable[Trial]) -> float:
    """What a run has cost so far, in US dollars, with those of its present stage's trials that have ended."""
    stage = STAGES_WITH_TRIALS.get(run.state)
    billed = sum(trial.billable_seconds for trial in trials if trial.stage == stage)
    return run.cost_usd + price(run.machine, billed)


def run_id_of(version: str, attempt: int = 1, prefix: str = PREFIX) -> str:
    """A run's name, from its dataset version (hex) and attempt, beginning with the stack's prefix.

    It leaves room for the names of its jobs: AMT's limit is 32 characters.
    """
    return f"{(prefix + version[:16])[:PREFIX_AND_VERSION]}-{attempt}"


def is_run_id(name: str) -> bool:
    """Whether a run could have this name: a request may ask for anything."""
    return RUN_ID.fullmatch(name) is not None


def run_id_in(job_name: str) -> str | None:
    """The run that a SageMaker job of this name belongs to; None for other jobs."""
    run_id = "-".join(job_name.split("-")[:3])
    return run_id if is_run_id(run_id) else None
