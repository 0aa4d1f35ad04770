"""What the API answers, as types: openapi.json is made from them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from datetime import datetime
from typing import Any

from ..domain.result import SingleView, Trial
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
    """A run's model: its address, its scores and what it was made from. What is not known yet is null."""

    run_id: str
    model_uri: str | None
    model_sha256: str | None
    validation_accuracy: float | None
    test_accuracy: float | None
    test_accuracy_interval: tuple[float, float] | None
    macro_f1: float | None
    single_view: SingleView | None
    views: int | None
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

    `notified` is whether anybody could have heard of its end, null until that was announced.
    """

    run_id: str
    state: RunState
    created_at: datetime
    ended_at: datetime | None
    images: int | None
    test_accuracy: float | None
    won: bool
    cost_usd: float
    reason: str | None
    notice: str | None
    notified: bool | None


@dataclass(frozen=True)
class RunList:
    """Runs, newest first, and the change that waits for a run."""

    runs: tuple[RunInShort, ...]
    pending: PendingChange | None


@dataclass(frozen=True)
class Accepted:
    """What was asked for will happen; the message says when."""

    message: str


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
    [*OF_THE_RUN, ("trials", tuple[Trial, ...])],
    bases=(Model,),
    frozen=True,
    kw_only=True,
)
RunInFull.__doc__ = "A run in full: its model, all that is recorded of it, and its trials."
