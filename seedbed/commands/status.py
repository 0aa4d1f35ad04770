"""`seedbed status`: follows the run in progress, or tells how the latest one ended."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ..errors import SeedbedError
from ..stack import Stack
from ..status import TRIAL_ENDED, Status, current, follow, stage_of
from ..terminal.console import results, say
from ..terminal.hints import seedbed
from ..terminal.text import printable
from ..watch import ENDED
from .options import AsJson, OnAws, local_home, stack_for
from .progress import StageBars
from .show import champion_note, percent

DOES = {
    "prepare": "is preparing the images",
    "tune": "is training heads",
    "fine-tune": "is training the whole network",
    "evaluate": "is evaluating the best model",
}
ENDINGS = {"Failed": "failed", "Stopped": "was stopped", "Refused": "was refused"}
PENDING = "Uploads wait for their run, which starts once they have ended."
NEXT = "Later uploads wait for the next run."
NOT_RUNNING = "The local cloud is not running, so nothing advances. Start it with: {}"
CONTINUES = "The run continues. Follow it again with: {}"
Once = Annotated[bool, typer.Option("--once", help="Print the present status, and end.")]


def status(once: Once = False, as_json: AsJson = False, aws: OnAws = "") -> None:
    """Follow the run in progress until it has ended. With --json, print the present status, and end."""
    home = local_home(aws)
    at_rest = home is not None and not home.running()
    with stack_for(aws) as stack:
        if not once and not as_json and not at_rest:
            follow_run(stack, aws)
            return
        seen = current(stack)
    if as_json:
        sys.stdout.write(json.dumps(as_object(seen), indent=2) + "\n")
        return
    print_status(seen, aws)
    if at_rest and (seen.in_progress or seen.pending):
        say(NOT_RUNNING.format(seedbed("up")))


def as_object(status: Status) -> dict[str, Any]:
    """The status for programs: the run in full, or the latest, and how far its stage is while it is in progress."""
    stage = stage_of(status) if status.in_progress else None
    return {
        "in_progress": status.in_progress,
        "pending": status.pending,
        "stage": stage and {"name": stage.stage, "done": stage.done, "total": stage.total},
        "run": status.run,
    }


def follow_run(stack: Stack, aws: str) -> None:
    """Show the run's stages, its trials and what it waits for. Raises SeedbedError if it ends without a model."""
    shown, followed, run = Shown(), False, None
    try:
        with StageBars() as stages:
            for seen in follow(stack):
                run = seen.run
                if run and (seen.in_progress or followed):
                    followed = True
                    for line in shown.news(run):
                        stages.say(line)
                if seen.in_progress or (seen.pending and not followed):
                    stages.show(stage_of(seen))
            if followed and run and run["state"] != "Completed":
                raise SeedbedError(ending(run, aws))
    except KeyboardInterrupt:
        say(CONTINUES.format(seedbed("status", aws=aws)))
        raise
    print_status(Status(run), aws)


class Shown:
    """The trials and the notice of a run that were shown already."""

    def __init__(self) -> None:
        self._trials: set[str] = set()
        self._notice: str | None = None

    def news(self, run: Mapping[str, Any]) -> list[str]:
        """A line for each trial that has ended since, and for what the run waits for now."""
        ended = [trial for trial in run["trials"] if trial["status"] in TRIAL_ENDED]
        lines = [trial_line(run["run_id"], trial) for trial in ended if trial["name"] not in self._trials]
        self._trials |= {trial["name"] for trial in ended}
        if run["notice"] and run["notice"] != self._notice:
            lines.append(printable(run["notice"]))
        self._notice = run["notice"]
        return lines


def trial_line(run_id: str, trial: Mapping[str, Any]) -> str:
    """One sentence on a trial that has ended."""
    name = printable(trial["name"].removeprefix(f"{run_id}-"))
    if trial["objective"] is not None:
        return f"Trial {name}: {percent(trial['objective'])} on validation."
    why = f": {printable(trial['reason']).rstrip('.')}" if trial["reason"] else ""
    return f"Trial {name} {trial['status'].lower()}{why}."


def print_status(status: Status, aws: str) -> None:
    """Print how far the run is, or how it ended."""
    console, run = results(), status.run
    if not run:
        console.print("There is no run yet.", soft_wrap=True)
        if not status.pending:
            say(f"Upload a folder of images with: {seedbed('upload', 'FOLDER', aws=aws)}")
    elif run["state"] == "Completed":
        for line in result(run):
            console.print(line)
    elif run["state"] in ENDED:
        console.print(ending(run, aws), soft_wrap=True)
    else:
        for line in present(status):
            console.print(line, soft_wrap=True)
    if status.pending:
        console.print(NEXT if status.in_progress else PENDING, soft_wrap=True)


def present(status: Status) -> list[str]:
    """Sentences on a run in progress."""
    run, stage = status.run or {}, stage_of(status)
    trials = f": {stage.done} of {stage.total} trials" if stage.total else ""
    best = f", {stage.note}" if stage.note else ""
    began = f"It began at {run['created_at'][:16].replace('T', ' ')} UTC."
    return [f"{run['run_id']} {DOES[stage.stage]}{trials}{best}.", *filter(None, [run["notice"]]), began]


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
