"""The API's answers, ready for JSON: the best model, the runs, and one run with its trials."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..domain.errors import NotFound
from ..domain.run import Run
from ..ports import Ports

RUNS_SHOWN = 100
UNHEARD = (
    "Nobody could hear of its end: no e-mail address is confirmed. Open the link in the e-mail from AWS, or set "
    "NotificationEmail."
)


def best_model(ports: Ports) -> dict[str, Any]:
    """The best model. Raises NotFound while there is none."""
    run = ports.runs.champion()
    if run is None:
        raise NotFound("There is no model yet. Upload labelled images and wait for the first run.")
    return scores(run)


def recent_runs(ports: Ports) -> dict[str, Any]:
    """The latest hundred runs, newest first, and the change that waits for a run."""
    pending = ports.runs.pending()
    return {
        "runs": [summary(run) for run in ports.runs.recent(RUNS_SHOWN)],
        "pending": jsonable(asdict(pending)) if pending else None,
    }


def one_run(run_id: str, ports: Ports) -> dict[str, Any]:
    """One run in full, with its trials. Raises NotFound if there is none."""
    run = ports.runs.get(run_id)
    trials = [asdict(trial) for trial in ports.runs.trials(run_id)]
    shown_elsewhere = {"best_trial", "dataset", "waits_for", "delay"}
    details = {name: value for name, value in asdict(run).items() if name not in shown_elsewhere}
    details["notice"] = notice(run)
    dataset = asdict(run.dataset) if run.dataset else None
    return {**scores(run), **jsonable({**details, "dataset": dataset, "trials": trials})}


def summary(run: Run) -> dict[str, Any]:
    """A run in short."""
    return {
        "run_id": run.run_id,
        "state": run.state.value,
        "created_at": run.created_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "images": run.dataset.used if run.dataset else None,
        "test_accuracy": run.evaluation.accuracy if run.evaluation else None,
        "won": run.won,
        "cost_usd": round(run.cost_usd, 4),
        "reason": run.reason,
        "notice": notice(run),
        "notified": run.notified,
    }


def notice(run: Run) -> str | None:
    """What the run waits for now, or why it departed from its plan, and whether nobody could hear of its end."""
    if run.notified is False:
        return f"{run.notice} {UNHEARD}" if run.notice else UNHEARD
    return run.waits_for or run.notice


def scores(run: Run) -> dict[str, Any]:
    """A run's model: its address, its scores and what it was made from."""
    trial, evaluation, dataset = run.best_trial, run.evaluation, run.dataset
    return {
        "run_id": run.run_id,
        "model_uri": run.model_uri,
        "model_sha256": run.model_sha256,
        "validation_accuracy": trial.objective if trial else None,
        "test_accuracy": evaluation.accuracy if evaluation else None,
        "test_accuracy_interval": list(evaluation.accuracy_interval) if evaluation else None,
        "macro_f1": evaluation.macro_f1 if evaluation else None,
        "single_view": asdict(evaluation.single_view) if evaluation and evaluation.single_view else None,
        "views": evaluation.views if evaluation else None,
        "hyperparameters": dict(trial.hyperparameters) if trial else None,
        "dataset": {"images": dataset.images, "used": dataset.used, "labels": sorted(dataset.labels)}
        if dataset
        else None,
        "cost_usd": round(run.cost_usd, 4),
        "created_at": run.created_at.isoformat(),
        "report_uri": run.report_uri,
        "model_card_uri": run.model_card_uri,
        "mosaic_uri": run.mosaic_uri,
    }


def jsonable(value: Any) -> Any:
    """The value with its times as ISO 8601 text and its tuples as lists."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value
