"""The List calls: filters, order, and pages. A NextToken is where the next page begins."""

import base64
import binascii
from typing import Any

from . import model
from .errors import Invalid
from .kinds import PROCESSING, TRAINING, TUNING, Body, Kind
from .ledger import Ledger
from .store import Job

PAGE = 10
ORDER = {
    "Name": "key",
    "CreationTime": "created",
    "Status": "status",
    "FinalObjectiveMetricValue": "objective",
}
DEFAULT_ORDER = {PROCESSING: "CreationTime", TRAINING: "CreationTime", TUNING: "Name"}
FILTERS = {
    "NameContains": "instr(key, lower(?)) > 0",
    "StatusEquals": "status = ?",
    "CreationTimeAfter": "created > ?",
    "CreationTimeBefore": "created < ?",
    "LastModifiedTimeAfter": "modified > ?",
    "LastModifiedTimeBefore": "modified < ?",
}


def list_jobs(ledger: Ledger, kind: Kind, request: Body) -> Body:
    operation = f"List{kind.name}s"
    jobs, token = _page(ledger, ["kind = ?"], [kind.name], request, DEFAULT_ORDER[kind])
    items = [model.summary(operation, _flat(kind, ledger.describe(kind, job.body))) for job in jobs]
    return {f"{kind.name}Summaries": items, **token}


def list_training_jobs_of(ledger: Ledger, request: Body) -> Body:
    """ListTrainingJobsForHyperParameterTuningJob."""
    tuning_job = ledger.find(TUNING, request["HyperParameterTuningJobName"]).body
    conditions = ["parent = ?"]
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        conditions.append("objective IS NOT NULL")
    values = [tuning_job["HyperParameterTuningJobName"].lower()]
    jobs, token = _page(ledger, conditions, values, request, "Name")
    return {"TrainingJobSummaries": [training_job_summary(job, tuning_job) for job in jobs], **token}


def training_job_summary(job: Job, tuning_job: Body) -> Body:
    """A HyperParameterTrainingJobSummary: a training job as its tuning job sees it."""
    body = {
        **job.body,
        "TunedHyperParameters": job.private["tuned"],
        "ObjectiveStatus": job.objective_status or "Pending",
    }
    if job.objective is not None:
        objective = tuning_job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        body["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": job.objective}
    return model.summary("ListTrainingJobsForHyperParameterTuningJob", body)


def _page(
    ledger: Ledger, conditions: list[str], values: list[Any], request: Body, order: str
) -> tuple[list[Job], dict[str, str]]:
    for name, condition in FILTERS.items():
        if name in request:
            conditions.append(condition)
            values.append(request[name])
    column = ORDER[request.get("SortBy", order)]
    direction = "DESC" if request.get("SortOrder") == "Descending" else "ASC"
    start, size = _start(request.get("NextToken")), request.get("MaxResults", PAGE)
    found = ledger.store.select(
        " AND ".join(conditions), values, f"{column} {direction}, key {direction}", (size + 1, start)
    )
    token = {"NextToken": _token(start + size)} if len(found) > size else {}
    return found[:size], token


def _flat(kind: Kind, body: Body) -> Body:
    """A tuning job's summary has its strategy and limits at the top."""
    config = body.get("HyperParameterTuningJobConfig", {}) if kind is TUNING else {}
    return {**body, **{name: config[name] for name in ("Strategy", "ResourceLimits") if name in config}}


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from {start}".encode()).decode()


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, number = base64.urlsafe_b64decode(token).decode().split()
        if word == "from" and number.isdigit():
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise Invalid("The NextToken is not one that this operation gave. Begin again without it.")
