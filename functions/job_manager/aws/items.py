"""The items of the table, and their keys."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from ..domain.results.trial import Trial
from ..domain.run import Run
from ..domain.run_request import RunRequest
from ..domain.settling import PendingChange

MANAGER, UNNOTIFIED = "MANAGER", "UNTOLD#"
OPEN, CHAMPION, PENDING, LISTING = (
    {"pk": {"S": MANAGER}, "sk": {"S": name}} for name in ("OPEN", "CHAMPION", "PENDING", "LISTING")
)

Item = dict[str, Any]


def run_item(run: Run) -> Item:
    """A run as an item: all of it as JSON in `body`, what is searched by, and its notice for people."""
    notice = run.waits_for or run.notice
    return {
        "pk": {"S": f"RUN#{run.run_id}"},
        "sk": {"S": "RUN"},
        "kind": {"S": "run"},
        "run_id": {"S": run.run_id},
        "state": {"S": run.state.value},
        "created_at": {"S": stamp(run.created_at)},
        "body": {"S": msgspec.json.encode(run).decode()},
        **({"notice": {"S": notice}} if notice else {}),
    }


def trial_item(run_id: str, trial: Trial) -> Item:
    """A trial as an item."""
    return {
        "pk": {"S": f"RUN#{run_id}"},
        "sk": {"S": f"TRIAL#{trial.name}"},
        "kind": {"S": "trial"},
        "body": {"S": msgspec.json.encode(trial).decode()},
    }


def unnotified_key(run_id: str) -> Item:
    return {"pk": {"S": MANAGER}, "sk": {"S": UNNOTIFIED + run_id}}


def pending_change(item: Item) -> PendingChange:
    first, last = (datetime.fromisoformat(item[name]["S"]) for name in ("first_at", "last_at"))
    request = msgspec.json.decode(item["request"]["S"], type=RunRequest) if "request" in item else None
    return PendingChange(first, last, request)


def request_value(request: RunRequest) -> Item:
    """A request for a run as a value of the pending change."""
    return {"S": msgspec.json.encode(request).decode()}


def stamp(at: datetime) -> str:
    """A time as text that sorts chronologically."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
