"""The table of a run's trials, and what it takes from them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult

from ...terminal.table import Column, FittedTable, Row
from .values import number, percent


class TrialsTable:
    """A run's trials, best first: one column per hyperparameter, or one for all of them on a narrow terminal."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        self._run_id = run["run_id"]
        trained = [head for trial in run["trials"] for head in heads_of(trial)]
        self._trials = sorted(trained, key=lambda trial: trial["objective"] or 0.0, reverse=True)
        self._names = varied(self._trials)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table that fits the console."""
        wide = self._table([[name] for name in self._names])
        yield wide if wide.fits(console, options) else self._table([self._names])

    def _table(self, groups: list[list[str]]) -> FittedTable:
        """A table with one column for each group of hyperparameters."""
        named = len(groups) == 1
        titles = ["Hyperparameters" if named else names[0].replace("_", " ") for names in groups]
        columns = [
            Column("Trial"),
            Column("Validation", rank=4),
            *(Column(title, rank=3, wraps=named) for title in titles),
            Column("Status", rank=2),
            Column("Seconds", rank=1),
        ]
        return FittedTable(columns, [self._row(trial, groups, named=named) for trial in self._trials])

    def _row(self, trial: Mapping[str, Any], groups: list[list[str]], *, named: bool) -> Row:
        short = trial["name"].removeprefix(f"{self._run_id}-")
        cells = [settings_text(trial["hyperparameters"], names, named=named) for names in groups]
        texts = [short, percent(trial["objective"]), *cells, trial["status"], str(trial["billable_seconds"])]
        return Row(texts, "bold green" if trial is self._trials[0] else None)


def heads_of(trial: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The heads that a trial trained, each as a trial; the trial itself if it trained one network."""
    if not trial.get("heads"):
        yield trial
    for number_, head in enumerate(trial.get("heads", ()), start=1):
        best = number_ == trial["best_head"]
        yield {
            **trial,
            "name": f"{trial['name']} head {number_}",
            "hyperparameters": {**trial["hyperparameters"], **head["hyperparameters"]},
            "objective": head["validation_accuracy"],
            "billable_seconds": trial["billable_seconds"] if best else "",
        }


def settings_text(values: Mapping[str, str], names: Iterable[str], *, named: bool = True) -> str:
    """Hyperparameters on one line, with their names or without."""
    texts = {name: number(values[name]) for name in names if name in values}
    return ", ".join(f"{name.replace('_', ' ')} {text}" if named else text for name, text in texts.items())


def varied(trials: list[Mapping[str, Any]]) -> list[str]:
    """The hyperparameters that differ between trials."""
    values: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial["hyperparameters"].items():
            values.setdefault(name, set()).add(value)
    return sorted(name for name, different in values.items() if len(different) > 1 or len(trials) == 1)
