"""`seedbed status`: how far the run in progress is, or how the latest one ended."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from ..terminal.console import results, say
from ..terminal.hints import seedbed
from ..terminal.text import printable
from ..watch.stage import ENDED
from ..watch.status import Status, best_objective, current, stage_of
from .options import AsJson, OnAws, api_for, is_at_rest
from .show import champion_note
from .tables.values import minute, percent

DOES = {
    "prepare": "is preparing the images",
    "merge": "is merging what several instances prepared",
    "tune": "is training heads",
    "refit": "is training the best heads on all images",
    "fine-tune": "is training the whole network",
    "evaluate": "is evaluating the best model",
}
ENDINGS = {"Failed": "failed", "Stopped": "was stopped", "Refused": "was refused"}
PENDING = "Uploads wait for their run, which starts once they have ended."
NEXT = "Later uploads wait for the next run."
NOT_RUNNING = "The local cloud is not running, so nothing advances. Start it with: {}"


def status(as_json: AsJson = False, aws: OnAws = "") -> None:
    """Print how far the run in progress is, or how the latest one ended."""
    with api_for(aws) as api:
        seen = current(api)
    if as_json:
        sys.stdout.write(json.dumps(as_object(seen), indent=2) + "\n")
        return
    print_status(seen, aws)
    note_at_rest(seen, aws)


def note_at_rest(status: Status, aws: str) -> None:
    """Say that nothing advances, if something should and the local cloud is not running."""
    if (status.in_progress or status.pending) and is_at_rest(aws):
        say(NOT_RUNNING.format(seedbed("up")))


def as_object(status: Status) -> dict[str, Any]:
    """The status for programs: the run in full, or the latest, and how far its stage is while it is in progress."""
    return {
        "in_progress": status.in_progress,
        "pending": status.pending,
        "stage": stage_object(status),
        "run": status.run,
    }


def stage_object(status: Status) -> dict[str, Any] | None:
    """How far the stage of the run in progress is, for programs; None without such a run."""
    if not status.in_progress or not status.run:
        return None
    stage = stage_of(status)
    best = best_objective(status.run)
    return {"name": stage.stage, "done": stage.done, "total": stage.total, "best_validation_accuracy": best}


def print_status(status: Status, aws: str) -> None:
    """Print how far the run is, or how it ended."""
    console, run = results(), status.run
    if not run:
        console.print("There is no run yet.", soft_wrap=True)
        if not status.pending:
            say(f"Upload a folder of images with: {seedbed('upload', 'FOLDER', aws=aws)}")
    elif run["state"] in ENDED:
        for line in ended(run, aws):
            console.print(line, soft_wrap=True)
    else:
        for line in present(status):
            console.print(line, soft_wrap=True)
    if status.pending:
        console.print(NEXT if status.in_progress else PENDING, soft_wrap=True)


def present(status: Status) -> list[str]:
    """Sentences on a run in progress."""
    run = status.run or {}
    began = f"It began at {minute(run['created_at'])} UTC."
    return [where(status), *filter(None, [run["notice"] and printable(run["notice"])]), began]


def where(status: Status) -> str:
    """A sentence on the stage of a run in progress."""
    run, stage = status.run or {}, stage_of(status)
    trials = f": {stage.done} of {stage.total} trials" if stage.total else ""
    best = f", {stage.note}" if stage.note else ""
    does = DOES.get(stage.stage, f"is at {stage.stage}")
    return printable(f"{run['run_id']} {does}{trials}{best}.")


def ended(run: Mapping[str, Any], aws: str) -> list[str]:
    """Sentences on how a run has ended, and what to do next if it has no model."""
    return result(run) if run["state"] == "Completed" else [ending(run, aws)]


def result(run: Mapping[str, Any]) -> list[str]:
    """Sentences on a run that has completed."""
    right = f"{percent(run['test_accuracy'])} of the test images right"
    told = f"{run['run_id']} has completed: {right}, for US$ {run['cost_usd']:.2f}."
    return [told, champion_note(run), *filter(None, [run["notice"] and printable(run["notice"])])]


def ending(run: Mapping[str, Any], aws: str) -> str:
    """How a run ended without a model, and what to do next."""
    told = f"{run['run_id']} {ENDINGS[run['state']]}: {printable(run['reason'])}"
    if run["state"] == "Refused":
        return told
    cost = f"It cost US$ {run['cost_usd']:.2f}."
    return f"{told} {cost} Give its images another attempt with: {seedbed('retry', run['run_id'], aws=aws)}"
