"""The List calls: filters, order, and pages.

A NextToken names the last job of its page, and the next page begins after it, so jobs that are created or deleted
between two calls shift nothing.
"""

import base64
import binascii
import json
from typing import Any

from . import service_model
from .errors import Invalid
from .kinds import HOSTED, PROCESSING, REGISTERED, TRAINING, TRANSFORM, TUNING, Body, Kind
from .records.ledger import Ledger
from .records.store import JobRecord

PAGE = 10
ORDER = {
    "Name": "key",
    "CreationTime": "created",
    "Status": "status",
    "FinalObjectiveMetricValue": "objective",
}
DEFAULT_ORDER = {TUNING: "Name"} | dict.fromkeys(
    (PROCESSING, TRAINING, TRANSFORM, *HOSTED, *REGISTERED), "CreationTime"
)
NEWEST_FIRST = (TRANSFORM, *HOSTED)
FILTERS = {
    "NameContains": "instr(key, lower(?)) > 0",
    "StatusEquals": "status = ?",
    "CreationTimeAfter": "created > ?",
    "CreationTimeBefore": "created < ?",
    "LastModifiedTimeAfter": "modified > ?",
    "LastModifiedTimeBefore": "modified < ?",
    # There are no warm pools and no training plans here, so no job is in one.
    "WarmPoolStatusEquals": "? IS NULL",
    "TrainingPlanArnEquals": "? IS NULL",
}


def list_jobs(ledger: Ledger, kind: Kind, request: Body) -> Body:
    """The operation that lists all jobs, models or endpoints of a kind.

    As AWS documents, ListTrainingJobs with MaxResults applies StatusEquals to the page, not before it.
    """
    status = request.get("StatusEquals") if kind is TRAINING and "MaxResults" in request else None
    if status is not None:
        request = {name: value for name, value in request.items() if name != "StatusEquals"}
    jobs, token = page(ledger, kind, ["kind = ?"], [kind.name], request)
    operation = f"List{kind.name}s"
    items = [
        service_model.summary(operation, _flat(kind, ledger.describe(kind, job.body)))
        for job in jobs
        if status in (None, job.body[kind.status_field])
    ]
    return {f"{kind.name}s" if kind in HOSTED else f"{kind.name}Summaries": items, **token}


def page(
    ledger: Ledger, kind: Kind, conditions: list[str], values: list[Any], request: Body
) -> tuple[list[JobRecord], dict[str, str]]:
    """One page of the jobs that meet SQL conditions and the request's filters, with its NextToken if there are more.

    kind: decides the default order. values: those of the conditions' placeholders.
    Raises Invalid for a NextToken that is not this operation's.
    """
    for name, condition in FILTERS.items():
        if name in request:
            conditions.append(condition)
            values.append(request[name])
    order = request.get("SortBy", DEFAULT_ORDER[kind])
    down = request.get("SortOrder", "Descending" if kind in NEWEST_FIRST else "Ascending") == "Descending"
    if "NextToken" in request:
        conditions.append(f"({ORDER[order]}, key) {'<' if down else '>'} (?, ?)")
        values += _read_token(request["NextToken"], order, down)
    size, direction = request.get("MaxResults", PAGE), "DESC" if down else "ASC"
    sort = f"{ORDER[order]} {direction}, key {direction}"
    found = ledger.store.select(" AND ".join(conditions), values, sort, size + 1)
    if len(found) <= size:
        return found, {}
    return found[:size], {"NextToken": _token(kind, found[size - 1], order, down)}


def _flat(kind: Kind, body: Body) -> Body:
    """The body; a tuning job's with its strategy and limits at the top level, where summaries have them."""
    config = body.get("HyperParameterTuningJobConfig", {}) if kind is TUNING else {}
    return {**body, **{name: config[name] for name in ("Strategy", "ResourceLimits") if name in config}}


def _token(kind: Kind, job: JobRecord, order: str, down: bool) -> str:
    key = job.body[kind.name_field].lower()
    place = {
        "Name": key,
        "CreationTime": job.body["CreationTime"],
        "Status": job.body[kind.status_field],
        "FinalObjectiveMetricValue": job.objective,
    }[order]
    return base64.urlsafe_b64encode(json.dumps([order, down, place, key]).encode()).decode()


def _read_token(token: str, order: str, down: bool) -> list[Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        content = None
    match content:
        case [str(given), bool(direction), str() | int() | float() as place, str(key)] if (given, direction) == (
            order,
            down,
        ):
            return [place, key]
    raise Invalid("The NextToken is not one that this operation gave in this order. Begin again without it.")
