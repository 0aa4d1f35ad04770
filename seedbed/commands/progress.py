"""Shows how far a run is: with one bar per stage, or with one line an event where nobody looks at a terminal."""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn

from ..stack import Stack
from ..terminal.console import notes, results
from ..terminal.text import printable
from ..watch.stage import StageProgress

TITLES = {
    "draw": "Draw seedlings",
    "upload": "Upload",
    "settle": "Settle",
    "prepare": "Prepare",
    "merge": "Merge",
    "tune": "Tune",
    "refit": "Refit",
    "fine-tune": "Fine-tune",
    "evaluate": "Evaluate",
    "notify": "Notify",
    "package": "Package",
    "room": "Build room",
    "image": "Training image",
    "deploy": "Stack",
    "endpoint": "Endpoint",
    "delete": "Stack",
    "empty": "Bucket",
}
WIDE = 72
"""The columns from which on a bar has room for its note."""


class Screen(Protocol):
    """Where a run is shown while it is followed."""

    def show(self, progress: StageProgress) -> None:
        """Show how far a stage is; the stages before it have ended."""

    def tell(self, line: str, **event: Any) -> None:
        """Tell what has happened: in a line for people, and as JSON values for programs."""


class StageBars:
    """One progress bar per stage on standard error, or one line per stage if that is not a terminal."""

    def __init__(self) -> None:
        self._console = console = notes()
        self._live = is_live(console)
        self._tasks: dict[str, TaskID] = {}
        self._current: str | None = None
        self._progress = Progress(*columns(console), console=console, redirect_stdout=False)

    def __enter__(self) -> "StageBars":
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if error == (None, None, None):
            self._finish()
        if self._live:
            self._progress.stop()

    def show(self, progress: StageProgress) -> None:
        """Show how far a stage is; the stages before it have ended."""
        if progress.stage != self._current:
            self._finish()
            self._current = progress.stage
            self._tasks[progress.stage] = self._progress.add_task(title_of(progress), total=None, note="")
            if not self._live:
                self._console.print(f"{title_of(progress)} …")
        task = self._tasks[progress.stage]
        self._progress.update(
            task, completed=progress.done, total=progress.total or None, note=printable(progress.note)
        )

    def tell(self, line: str, **_: Any) -> None:
        """Print a line above the bars."""
        self._console.print(line, soft_wrap=True)

    def _finish(self) -> None:
        if self._current is None:
            return
        task = self._tasks[self._current]
        total = self._progress.tasks[self._progress.task_ids.index(task)].total or 1
        self._progress.update(task, completed=total, total=total)
        if self._current == "settle":
            self._progress.update(task, note="")
        self._progress.stop_task(task)


def title_of(progress: StageProgress) -> str:
    """What people read of a stage."""
    return TITLES.get(progress.stage) or printable(progress.stage)


def columns(console: Console) -> list[ProgressColumn]:
    """What a bar shows: on a narrow terminal a shorter one without its note."""
    wide = console.width >= WIDE
    shown: list[ProgressColumn] = [
        TextColumn("{task.description:<15}", markup=False),
        BarColumn(32 if wide else 8, pulse_style="green"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    return [*shown, TextColumn("{task.fields[note]}", style="dim", markup=False)] if wide else shown


def is_live(console: Console) -> bool:
    """Whether lines can be overwritten there."""
    return console.is_terminal and not console.is_dumb_terminal


class EventLines:
    """One line an event on standard output: a stage that begins, and what is told."""

    def __init__(self) -> None:
        self._stage = ""

    def show(self, progress: StageProgress) -> None:
        """A line if the stage has just begun."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.tell(f"{title_of(progress)} …")

    def tell(self, line: str, **_: Any) -> None:
        """Print the line, at once."""
        results().print(line, soft_wrap=True)
        sys.stdout.flush()


class JsonLines:
    """One JSON object an event on standard output: what is told, and each step that a stage gets on."""

    def __init__(self) -> None:
        self._shown: Mapping[str, Any] = {}

    def show(self, progress: StageProgress) -> None:
        """An object if the stage has got on."""
        step = {"stage": progress.stage, "done": progress.done, "total": progress.total}
        if step != self._shown:
            self._shown = step
            self.tell("", event="stage", **step)

    def tell(self, line: str, **event: Any) -> None:  # noqa: ARG002  the line is for people
        """Print the object, at once."""
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def print_states(stack: Stack, console: Console) -> None:
    """Print each run's changes of state, and what an open one waits for, until interrupted."""
    runs: list[dict[str, Any]] = stack.get("/runs")["runs"]
    states = {run["run_id"]: run["state"] for run in runs}
    notices = {run["run_id"]: run["notice"] for run in runs}
    while True:
        time.sleep(1)
        for run in stack.get("/runs")["runs"]:
            if run["notice"] and notices.get(run["run_id"]) != run["notice"]:
                console.print(printable(f"{run['run_id']} {run['notice']}"), soft_wrap=True)
            notices[run["run_id"]] = run["notice"]
            if states.get(run["run_id"]) != run["state"]:
                states[run["run_id"]] = run["state"]
                accuracy = f", test accuracy {run['test_accuracy']:.1%}" if run["test_accuracy"] else ""
                reason = f": {run['reason']}" if run["reason"] else ""
                console.print(printable(f"{run['run_id']} {run['state']}{accuracy}{reason}"), soft_wrap=True)
