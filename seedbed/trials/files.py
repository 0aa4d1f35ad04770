"""Trials as rows, and as CSV, JSON and Parquet."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..terminal.text import printable
from .ranges import Range
from .tuning_job import Trial, TuningJob

FIRST = ("name", "status", "objective_status", "objective")
LAST = ("started", "ended", "seconds", "billable_seconds", "reason")


def rows(job: TuningJob) -> list[dict[str, Any]]:
    """A row for each trial; all have the same columns, in this order.

    name, status, objective_status, objective, definition where there are several, params_NAME for each tuned
    hyperparameter, metrics_NAME for the last value of each metric, started and ended (ISO 8601 in UTC), seconds,
    billable_seconds and reason. What a trial lacks is None.
    """
    params = sorted({*job.ranges, *(name for trial in job.trials for name in trial.hyperparameters)})
    metrics = sorted({name for trial in job.trials for name in trial.metrics or {}})
    return [
        {
            **_first(trial, several=len(job.definitions) > 1),
            **{f"params_{name}": trial.hyperparameters.get(name) for name in params},
            **{f"metrics_{name}": (trial.metrics or {}).get(name) for name in metrics},
            **_last(trial),
        }
        for trial in job.trials
    ]


def columns(job: TuningJob) -> list[str]:
    """The names of the rows' columns, also of a job without trials."""
    found = rows(job)
    return list(found[0]) if found else [*FIRST, *(f"params_{name}" for name in sorted(job.ranges)), *LAST]


def as_csv(job: TuningJob) -> str:
    """The rows as CSV with a header; None is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(job), lineterminator="\n")
    writer.writeheader()
    for row in rows(job):
        writer.writerow({name: printable(value) if isinstance(value, str) else value for name, value in row.items()})
    return text.getvalue()


def as_json(job: TuningJob) -> str:
    """The job, its ranges and its trials as one JSON object."""
    content = {
        "name": job.name,
        "status": job.status,
        "strategy": job.strategy,
        "direction": "maximize" if job.maximize else "minimize",
        "objectives": job.objectives,
        "best": job.best or None,
        "ranges": {name: _range(found) for name, found in job.ranges.items()},
        "trials": [
            {
                **_first(trial, several=len(job.definitions) > 1),
                "hyperparameters": trial.hyperparameters,
                "metrics": trial.metrics or {},
                **_last(trial),
            }
            for trial in job.trials
        ],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def as_parquet(job: TuningJob) -> bytes:
    """The rows as Parquet. A column of whole numbers is int64, one of numbers float64, any other text."""
    import pyarrow  # noqa: PLC0415  an extra
    from pyarrow import parquet  # noqa: PLC0415

    found = rows(job)
    values = {name: [row[name] for row in found] for name in columns(job)}
    arrays = {name: pyarrow.array(*_typed(column, pyarrow)) for name, column in values.items()}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), buffer)
    return buffer.getvalue()


def _typed(column: Sequence[Any], pyarrow: Any) -> tuple[list[Any], Any]:
    """The values of one type, and that type."""
    kinds = {type(value) for value in column if value is not None}
    if kinds == {int}:
        return list(column), pyarrow.int64()
    if kinds and kinds <= {int, float}:
        return [None if value is None else float(value) for value in column], pyarrow.float64()
    return [None if value is None else str(value) for value in column], pyarrow.string()


def _first(trial: Trial, *, several: bool) -> dict[str, Any]:
    given = (trial.name, trial.status, trial.objective_status, trial.objective)
    return {**dict(zip(FIRST, given, strict=True)), **({"definition": trial.definition} if several else {})}


def _last(trial: Trial) -> dict[str, Any]:
    times = (_iso(trial.started), _iso(trial.ended), trial.seconds, trial.billable_seconds, trial.reason or None)
    return dict(zip(LAST, times, strict=True))


def _range(found: Range) -> Mapping[str, Any]:
    if found.kind is str:
        return {"type": "categorical", "choices": found.choices}
    kind = "integer" if found.kind is int else "continuous"
    return {"type": kind, "low": found.low, "high": found.high, "scaling": found.scaling}


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None
