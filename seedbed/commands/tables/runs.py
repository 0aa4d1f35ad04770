"""The table of all runs, with the stage of the one in progress and what waits."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group

from ...terminal.table import Column, FittedTable, Row
from ...terminal.text import printable
from ...watch.status import Status, stage_of
from .values import minute, percent

UNHEARD = (
    "Nobody could hear of the latest run's end: no e-mail address is confirmed.\n"
    "Open the link in the e-mail from AWS, or set NotificationEmail."
)
COLUMNS = (
    Column("Run"),
    Column("State", rank=6),
    Column("Started", rank=3, wraps=True),
    Column("Images", rank=1, right=True),
    Column("Test\naccuracy", rank=5, right=True),
    Column("Cost", rank=2, right=True),
    Column("", rank=4),
)


def runs_table(runs: list[dict[str, Any]], now: Status = Status(None)) -> Group:  # noqa: B008  it is frozen
    """The runs, newest first, and below them why runs ended without a model, and what an open one waits for.

    The run that is in progress `now` has its trials so far beside its state.
    """
    table = FittedTable(COLUMNS, [row(run, now) for run in runs])
    told = [(run["run_id"], run["reason"] or (run["notice"] if not run["ended_at"] else None)) for run in runs]
    unheard = [UNHEARD] if runs and runs[0].get("notified") is False else []
    return Group(table, *(printable(f"{run_id}: {text}") for run_id, text in told if text), *unheard)


def row(run: Mapping[str, Any], now: Status) -> Row:
    """One run's row."""
    return Row(
        (
            run["run_id"],
            state(run, now),
            minute(run["created_at"]),
            f"{run['images']:,}" if run["images"] else "",
            percent(run["test_accuracy"]),
            f"${run['cost_usd']:.2f}",
            "best" if run["won"] else "",
        )
    )


def state(run: Mapping[str, Any], now: Status) -> str:
    """A run's state, with the trials done of all if it is in progress and tunes."""
    if not now.run or not now.in_progress or now.run["run_id"] != run["run_id"]:
        return str(run["state"])
    stage = stage_of(now)
    return f"{now.run['state']} {stage.done}/{stage.total}" if stage.total else str(now.run["state"])
