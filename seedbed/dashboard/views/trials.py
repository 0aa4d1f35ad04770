"""A run's trials as rows: each head of a training job is one, with hyperparameters and an accuracy of its own."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import msgspec

from ..answers.runs import Run
from ..answers.trials import Head
from ..charts.coordinates import Axis
from ..charts.drawing import value

SHOWN = 100
NUMBER, ACCURACY, STATUS, STAGE, SECONDS = "number", "accuracy", "status", "stage", "seconds"
STAGES = {"tune": "tune", "refit": "refit", "fine-tune": "fine-tune"}
AT_LEAST, AT_MOST = "from.", "to."


@dataclass(frozen=True)
class Trial:
    """A trial; `job` is its training job's name, `head` its place in it from 1, and `seconds` what the job is paid for.

    `accuracy` is its validation accuracy from 0 to 1, None if it has none. `values` are its searched hyperparameters.
    """

    number: int
    job: str
    head: int
    heads: int
    stage: str
    status: str
    accuracy: float | None
    values: Mapping[str, str]
    seconds: int
    reason: str | None
    best: bool = False

    @property
    def name(self) -> str:
        """Its number, and the head's if its job trained several."""
        return f"{self.number}"

    @property
    def shown(self) -> Mapping[str, str]:
        """Its hyperparameters, numbers with three digits."""
        return {name: short(text) for name, text in self.values.items()}

    def cell(self, column: str) -> str | float | None:
        """What it has in a column, as it is sorted by."""
        fixed = {NUMBER: self.number, ACCURACY: self.accuracy, STATUS: self.status, STAGE: self.stage}
        if column in fixed:
            return fixed[column]
        if column == SECONDS:
            return self.seconds
        text = self.values.get(column)
        number = number_in(text or "")
        return text if number is None else number

    def number_in(self, column: str, otherwise: float) -> float:
        """The number that it has in a column; `otherwise` where it has none."""
        found = self.cell(column)
        return otherwise if found is None or isinstance(found, str) else found


@dataclass(frozen=True)
class Query:
    """Which trials a person wants to see, and in which order; a range holds what is at least, or at most."""

    sort: str = NUMBER
    descending: bool = False
    status: str = ""
    stage: str = ""
    page: int = 1
    least: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, str], columns: Sequence[str]) -> "Query":
        """The query of an address. What makes no sense in it is as if it was not there."""
        ranges = {ACCURACY, *columns}
        sort = given.get("sort", NUMBER)
        return cls(
            sort=sort if sort in {NUMBER, STATUS, STAGE, SECONDS, *ranges} else NUMBER,
            descending=given.get("order") == "desc",
            status=given.get("status", ""),
            stage=given.get("stage", ""),
            page=max(1, int(number_in(given.get("page", "")) or 1)),
            least=dict(read_range(given, AT_LEAST, ranges)),
            most=dict(read_range(given, AT_MOST, ranges)),
        )

    @property
    def ends(self) -> dict[str, str]:
        """The ends of its ranges, by their names in an address; accuracies in percent."""
        least = {AT_LEAST + name: value(100 * low if name == ACCURACY else low) for name, low in self.least.items()}
        most = {AT_MOST + name: value(100 * high if name == ACCURACY else high) for name, high in self.most.items()}
        return least | most

    def written(self) -> str:
        """The query as part of an address."""
        order = {"sort": self.sort, "order": "desc" if self.descending else "asc"}
        wanted = {"status": self.status, "stage": self.stage, "page": str(self.page) if self.page > 1 else ""}
        return urlencode({**order, **{name: text for name, text in (wanted | self.ends).items() if text}})

    def sorted_by(self, column: str) -> "Query":
        """The same by another column, or by this one the other way round."""
        numbers_first = column in {ACCURACY, SECONDS}
        return replace(
            self, sort=column, descending=not self.descending if column == self.sort else numbers_first, page=1
        )

    def at(self, page: int) -> "Query":
        """Another page of the same."""
        return replace(self, page=page)

    def holds(self, trial: Trial) -> bool:
        """Whether a trial is wanted."""
        if self.status not in {"", trial.status} or self.stage not in {"", trial.stage}:
            return False
        enough = all(trial.number_in(name, -math.inf) >= low for name, low in self.least.items())
        return enough and all(trial.number_in(name, math.inf) <= high for name, high in self.most.items())

    @property
    def narrows(self) -> bool:
        """Whether it leaves any trial out."""
        return bool(self.status or self.stage or self.least or self.most)


@dataclass(frozen=True)
class Table:
    """A page of the trials that are wanted; `found` counts those on all pages, `every` all trials."""

    query: Query
    columns: tuple[str, ...]
    rows: tuple[Trial, ...]
    found: int
    every: int
    statuses: tuple[str, ...]
    stages: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, math.ceil(self.found / SHOWN))


def table(trials: Sequence[Trial], columns: Sequence[str], query: Query) -> Table:
    """The page of trials that a query asks for."""
    wanted = [trial for trial in trials if query.holds(trial)]
    known = [trial for trial in wanted if trial.cell(query.sort) is not None]
    unknown = [trial for trial in wanted if trial.cell(query.sort) is None]
    known.sort(key=lambda trial: order_of(trial.cell(query.sort)), reverse=query.descending)
    ordered = known + unknown
    last = max(1, math.ceil(len(ordered) / SHOWN))
    page = min(query.page, last)
    return Table(
        query=query.at(page),
        columns=tuple(columns),
        rows=tuple(ordered[SHOWN * (page - 1) : SHOWN * page]),
        found=len(ordered),
        every=len(trials),
        statuses=tuple(sorted({trial.status for trial in trials})),
        stages=tuple(dict.fromkeys(trial.stage for trial in trials)),
    )


def order_of(found: str | float | None) -> tuple[bool, float, str]:
    """Numbers before texts."""
    return (True, 0.0, found) if isinstance(found, str) else (False, float(found or 0), "")


def trials_of(run: Run) -> list[Trial]:
    """A run's trials, numbered in the order in which their jobs were started; the best is marked."""
    found = list(numbered(run))
    scores = [trial.accuracy for trial in found if trial.accuracy is not None]
    if not scores:
        return found
    first = next(at for at, trial in enumerate(found) if trial.accuracy == max(scores))
    return [replace(trial, best=at == first) for at, trial in enumerate(found)]


def numbered(run: Run) -> Iterator[Trial]:
    number = 0
    for job in run.trials:
        searched = {axis.name for axis in axes_of(run, job.stage)}
        heads = job.heads or (Head(validation_accuracy=job.objective),)
        for place, head in enumerate(heads, 1):
            number += 1
            values = {**job.hyperparameters, **head.hyperparameters}
            yield Trial(
                number=number,
                job=job.name,
                head=place,
                heads=len(heads),
                stage=job.stage,
                status=job.status,
                accuracy=head.validation_accuracy,
                values={name: values[name] for name in values if name in searched},
                seconds=job.billable_seconds,
                reason=job.reason,
            )


def axes_of(run: Run, stage: str) -> list[Axis]:
    """The hyperparameters that a stage searches, with their ranges; none if the plan names none that can be read."""
    fine = run.plan.fine_tuning
    space = run.plan.search_space if stage != "fine-tune" else fine.search_space if fine else ""
    try:
        ranges = msgspec.json.decode(space or "[{}]", type=list[dict[str, Range | str]])[0]
    except (msgspec.MsgspecError, IndexError):
        return []
    return [found.axis(name) for name, found in ranges.items() if isinstance(found, Range)]


class Range(msgspec.Struct, frozen=True):
    """What a plan says of a hyperparameter: a range of numbers, or choices."""

    low: float = 0.0
    high: float = 1.0
    logarithmic: bool = False
    values: tuple[str, ...] = ()

    def axis(self, name: str) -> Axis:
        """The axis on which its values are drawn."""
        return Axis(name, self.low, self.high, self.logarithmic, self.values)


def read_range(given: Mapping[str, str], prefix: str, names: set[str]) -> Iterator[tuple[str, float]]:
    """The ends of ranges in an address; accuracies are in percent there."""
    for name in names:
        number = number_in(given.get(prefix + name, ""))
        if number is not None:
            yield name, number / 100 if name == ACCURACY else number


def number_in(text: str) -> float | None:
    """The number that a text is; None for anything else, infinite ones among them."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def short(text: str) -> str:
    """A hyperparameter as it is shown."""
    number = number_in(text)
    return text if number is None else value(number)
