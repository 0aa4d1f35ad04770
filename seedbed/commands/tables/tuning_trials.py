"""The table of a tuning job's trials."""

from rich.console import Console, ConsoleOptions, RenderResult

from ...terminal.table import Column, FittedTable, Row
from ...terminal.text import printable
from ...trials.ranges import Value
from ...trials.tuning_job import Trial, TuningJob


class TuningTrialsTable:
    """A tuning job's trials, the best first: a column for each hyperparameter, or one for all on a narrow terminal."""

    def __init__(self, job: TuningJob) -> None:
        self._job = job
        self._trials = sorted(job.trials, key=lambda trial: (trial.objective is None, self._rank(trial)))
        self._names = sorted({name for trial in job.trials for name in trial.hyperparameters})

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table that fits the console."""
        wide = self._table([[name] for name in self._names])
        yield wide if wide.fits(console, options) else self._table([self._names])

    def _rank(self, trial: Trial) -> float:
        """A number that is lower the better the trial is."""
        value = trial.objective or 0.0
        return -value if self._job.maximize else value

    def _table(self, groups: list[list[str]]) -> FittedTable:
        """A table with one column for each group of hyperparameters."""
        named = len(groups) == 1
        titles = ["Hyperparameters" if named else printable(names[0]) for names in groups]
        columns = [
            Column("Trial"),
            Column(printable(self._job.objectives[0]), rank=4, right=True),
            *(Column(title, rank=3, wraps=named, right=not named) for title in titles),
            Column("Status", rank=2),
            Column("Seconds", rank=1, right=True),
        ]
        return FittedTable(columns, [self._row(trial, groups, named=named) for trial in self._trials])

    def _row(self, trial: Trial, groups: list[list[str]], *, named: bool) -> Row:
        cells = [self._settings(trial, names, named=named) for names in groups]
        seconds = "" if trial.seconds is None else f"{trial.seconds:.0f}"
        short = trial.name.removeprefix(f"{self._job.name}-")
        texts = [short, shown(trial.objective), *cells, trial.status, seconds]
        return Row(texts, "bold green" if trial.name == self._job.best else None)

    @staticmethod
    def _settings(trial: Trial, names: list[str], *, named: bool) -> str:
        """Hyperparameters on one line, with their names or without."""
        texts = {name: shown(trial.hyperparameters[name]) for name in names if name in trial.hyperparameters}
        return ", ".join(f"{printable(name)} {text}" if named else text for name, text in texts.items())


def shown(value: Value | None) -> str:
    """A value in four significant digits if it is a fraction; empty for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else printable(value)
