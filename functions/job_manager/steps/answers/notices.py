"""What the API answers otherwise: how things are, that something will happen, or why it will not."""

from dataclasses import dataclass
from typing import Literal

from ...domain.settling import PendingChange


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
