"""Shows how far a run is, with one bar per stage."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..stack import Stack
from ..terminal.console import notes
from ..terminal.text import printable
from ..watch import StageProgress

TITLES = {
    "draw": "Draw seedlings",
    "upload": "Upload",
    "settle": "Settle",
    "prepare": "Prepare",
    "tune": "Tune",
    "fine-tune": "Fine-tune",
    "evaluate": "Evaluate",
    "notify": "Notify",
    "package": "Package",
    "room": "Build room",
    "image": "Training image",
    "deploy": "Stack",
    "delete": "Stack",
    "empty": "Bucket",
}


class StageBars:
    """One progress bar per stage on standard error, or one line per stage if that is not a terminal."""

    def __init__(self) -> None:
        self._console = console = notes()
        self._tasks: dict[str, TaskID] = {}
        self._current: str | None = None
        self._progress = Progress(
            TextColumn("{task.description:<15}", markup=False),
            BarColumn(32, pulse_style="green"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=console,
            redirect_stdout=False,
        )

    def __enter__(self) -> "StageBars":
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if error == (None, None, None):
            self._finish()
        if self._console.is_terminal:
            self._progress.stop()

    def show(self, progress: StageProgress) -> None:
        """Show how far a stage is; the stages before it have ended."""
        if progress.stage != self._current:
            self._finish()
            self._current = progress.stage
            self._tasks[progress.stage] = self._progress.add_task(TITLES[progress.stage], total=None, note="")
            if not self._console.is_terminal:
                self._console.print(f"{TITLES[progress.stage]} …")
        task = self._tasks[progress.stage]
        self._progress.update(
            task, completed=progress.done, total=progress.total or None, note=printable(progress.note)
        )

    def say(self, line: str) -> None:
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
