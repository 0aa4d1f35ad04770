"""Metrics in a job's output, found by the regular expressions of its MetricDefinitions."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import regex

from ..containers.cluster.hosts import FIRST, Host
from ..containers.terminal_text import visible_states
from ..errors import Invalid
from ..jobs import JobServices, Output
from ..kinds import Body
from ..records.statistics import summary
from ..records.transitions import now
from ..settings import region_of

log = logging.getLogger(__name__)

MATCH_SECONDS = 0.05
MATCH_SECONDS_A_LETTER = 0.5 / 2**20
OVERRUNS = 10
MAX_POINTS = 20_000
NUMBER_LENGTH = 100
SHOWN_LENGTH = 60
SHOWN_PROBLEMS = 3


# The name under which a tuning job's training jobs report the objective metric once more.
OBJECTIVE_METRIC = "ObjectiveMetric"
# A tab in CloudWatch's logs of SageMaker; regular expressions for such lines, as those for XGBoost, have it.
LOGGED_TAB = "#011"


def compile_definitions(definitions: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Metric name → pattern. Raises Invalid for a pattern that can't be compiled or has no group."""
    patterns = {}
    for definition in definitions:
        name, text = definition["Name"], definition["Regex"]
        try:
            pattern = regex.compile(text)
        except (regex.error, OverflowError, RecursionError) as error:
            raise Invalid(f"The regular expression of metric '{name}' can't be read: {error}.") from error
        if pattern.groups < 1:
            raise Invalid(f"The regular expression of metric '{name}' needs a group in parentheses around the value.")
        patterns[name] = pattern
    return patterns


class Metrics:
    """The metrics that a job has reported so far.

    A regular expression that takes too long for a line finds nothing in it, and is dropped after ten such lines, so
    that a careless one holds up neither its job nor others. reading: held by each of a job's hosts while it reads.
    """

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = compile_definitions(definitions)
        self.reading = threading.Lock()
        self._lock = threading.Lock()
        self._overruns: dict[str, int] = {}
        self._points: dict[str, list[tuple[float, float]]] = {}
        self._in_line: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._notes: list[str] = []

    def read(self, line: str, when: float, ended: bool = True) -> dict[str, float]:
        """Reads one line and returns its metrics: of each the last match that is a finite number.

        ended: False if the next line overwrites this one, as progress bars do. Of a line with several such states, a
        value that stays the same counts once.
        """
        states = visible_states(line)
        found = {}
        for name in list(self._patterns):
            value = self._last_value(name, states)
            if value is not None and self._in_line.get(name) != value:
                self._add(name, value, when)
                found[name] = self._in_line[name] = value
        if ended:
            self._in_line.clear()
        return found

    def series(self, name: str) -> list[float]:
        """A metric's values in their order; beyond 20,000 each takes the last one's place."""
        with self._lock:
            return [value for value, _ in self._points.get(name, [])]

    def final(self) -> list[dict[str, Any]]:
        """The FinalMetricDataList: each metric's last value, with its time in epoch seconds."""
        with self._lock:
            return [
                {"MetricName": name, "Value": points[-1][0], "Timestamp": points[-1][1]}
                for name, points in self._points.items()
            ]

    def statistics(self) -> list[dict[str, Any]]:
        """The summary of each metric's values, as experiments show it."""
        with self._lock:
            return [summary(name, points) for name, points in self._points.items()]

    def take_notes(self) -> list[str]:
        """What is new to say in the log: for each metric, the first match that is not a number."""
        notes, self._notes = self._notes, []
        return notes

    def problem(self, only: str = "") -> str:
        """Why metrics that matched have no value at all; empty if there are none. only: one metric's name."""
        with self._lock:
            found = [text for name, text in self._problems.items() if name not in self._points and only in ("", name)]
        more = len(found) - SHOWN_PROBLEMS
        return " ".join(
            [*found[:SHOWN_PROBLEMS], *([f"{more} more metrics have no value either."] if more > 0 else [])]
        )

    def _add(self, name: str, value: float, when: float) -> None:
        with self._lock:
            points = self._points.setdefault(name, [])
            if len(points) == MAX_POINTS:
                points.pop()
            points.append((value, when))

    def _last_value(self, name: str, states: list[str]) -> float | None:
        texts: list[str | None] = []
        pattern = self._patterns[name]
        left = MATCH_SECONDS + MATCH_SECONDS_A_LETTER * sum(map(len, states))
        try:
            for state in _as_logged(pattern, states):
                began = time.thread_time()
                texts.extend(match[1] for match in pattern.finditer(state, timeout=left, concurrent=True))
                left -= time.thread_time() - began
                if left <= 0:
                    raise TimeoutError
        except TimeoutError:
            self._count_overrun(name)
            return None
        if not texts:
            return None
        if _number(texts[-1]) is None:
            self._misread(name, texts[-1])
        return next((number for text in reversed(texts) if (number := _number(text)) is not None), None)

    def _misread(self, name: str, text: str | None) -> None:
        problem = _problem(name, text)
        with self._lock:
            if name not in self._problems:
                self._notes.append(problem)
            self._problems[name] = problem

    def _count_overrun(self, name: str) -> None:
        self._overruns[name] = self._overruns.get(name, 0) + 1
        if self._overruns[name] == OVERRUNS:
            problem = f"The regular expression of metric '{name}' takes too long; it is not used any more."
            log.warning(problem)
            self._notes.append(problem)
            with self._lock:
                self._problems[name] = problem
            del self._patterns[name]


class MeasuredOutput(Output):
    """Sends a training job's lines and metrics to CloudWatch.

    metrics: of all the job's hosts. found: called with the names of a line's metrics. host: whose lines these are.
    """

    def __init__(  # noqa: PLR0913  a job's host, and what hears it
        self,
        services: JobServices,
        group: str,
        body: Body,
        metrics: Metrics,
        found: Callable[[set[str]], None],
        *,
        host: Host = FIRST,
    ) -> None:
        self._job = body["TrainingJobName"]
        super().__init__(services, group, self._job, region_of(body["TrainingJobArn"]), host)
        self._metrics = metrics
        self._found = found

    def on_line(self, line: str, ended: bool = True) -> None:
        super().on_line(line, ended)
        stamp = now()
        with self._metrics.reading:
            values, notes = self._metrics.read(line, stamp, ended), self._metrics.take_notes()
        for metric, value in values.items():
            self._cloudwatch.metric(self._job, metric, value, stamp)
        for note in notes:
            self.note(f"[{note}]")
        if values:
            self._found(set(values))


def _as_logged(pattern: Any, states: list[str]) -> list[str]:
    return [state.replace("\t", LOGGED_TAB) for state in states] if LOGGED_TAB in pattern.pattern else states


def _number(text: str | None) -> float | None:
    """The finite number that a text is, as most languages write it: no comma, no percent sign, no underscore."""
    if not text or len(text) > NUMBER_LENGTH or not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _problem(name: str, text: str | None) -> str:
    """A sentence on a match that is not a number."""
    if not text:
        return f"Metric '{name}' matched without a number: the first group of its regular expression was empty."
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:SHOWN_LENGTH])
    more = "…" if len(text) > SHOWN_LENGTH else ""
    return f"Metric '{name}' matched '{shown}{more}', which is not a finite number such as 0.875, -3 or 1e-05."
