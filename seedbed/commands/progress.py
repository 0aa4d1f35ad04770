"""Shows how far a run is, with one bar per stage."""

import sys
import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..stack import Stack
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
}


class StageBars:
    """One progress bar per stage, or one line per stage without a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._current: str | None = None
        self._progress = Progress(
            TextColumn("{task.description:<15}"),
            BarColumn(32, pulse_style="green"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
        )

    def __enter__(self) -> "StageBars":
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if error == (None, None, None):
            self._finish()
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
        self._progress.update(task, completed=progress.done, total=progress.total or None, note=escape(progress.note))

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
    """Print each run's changes of state until interrupted."""
    states: dict[str, str] = {run["run_id"]: run["state"] for run in stack.get("/runs")["runs"]}
    while True:
        time.sleep(1)
        for run in stack.get("/runs")["runs"]:
            if states.get(run["run_id"]) != run["state"]:
                states[run["run_id"]] = run["state"]
                accuracy = f", test accuracy {run['test_accuracy']:.1%}" if run["test_accuracy"] else ""
                reason = f": {escape(run['reason'])}" if run["reason"] else ""
                console.print(f"{run['run_id']} {run['state']}{accuracy}{reason}")


def console() -> Console:
    """Standard output, wide enough for all tables if it is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)
