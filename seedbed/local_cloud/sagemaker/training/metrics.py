"""Metrics in a job's output, found by the regular expressions of its MetricDefinitions."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import regex

from ..errors import Invalid
from ..jobs import JobServices, Output
from ..records.transitions import now

log = logging.getLogger(__name__)

LINE_LENGTH = 4096
MATCH_SECONDS = 0.05
OVERRUNS = 10


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
    that a careless one holds up neither its job nor others.
    """

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = compile_definitions(definitions)
        self._lock = threading.Lock()
        self._overruns: dict[str, int] = {}
        self._points: dict[str, list[tuple[float, float]]] = {}

    def read(self, line: str, when: float) -> dict[str, float]:
        """Reads one line and returns its metrics: of each the last match, if that is a finite number."""
        found = {}
        for name in list(self._patterns):
            value = self._last_value(name, line[:LINE_LENGTH])
            if value is not None:
                with self._lock:
                    self._points.setdefault(name, []).append((value, when))
                found[name] = value
        return found

    def _last_value(self, name: str, line: str) -> float | None:
        last = None
        try:
            for match in self._patterns[name].finditer(line, timeout=MATCH_SECONDS, concurrent=True):
                last = match.group(1)
        except TimeoutError:
            self._overruns[name] = self._overruns.get(name, 0) + 1
            if self._overruns[name] == OVERRUNS:
                log.warning("The regular expression of metric '%s' takes too long; it is not used any more", name)
                del self._patterns[name]
            return None
        return _number(last)

    def series(self, name: str) -> list[float]:
        with self._lock:
            return [value for value, _ in self._points.get(name, [])]

    def final(self) -> list[dict[str, Any]]:
        """The FinalMetricDataList: each metric's last value, with its time in epoch seconds."""
        with self._lock:
            return [
                {"MetricName": name, "Value": points[-1][0], "Timestamp": points[-1][1]}
                for name, points in self._points.items()
            ]


class MeasuredOutput(Output):
    """Sends a training job's lines and metrics to CloudWatch. found: called with the names of a line's metrics."""

    def __init__(
        self, services: JobServices, group: str, job: str, metrics: Metrics, found: Callable[[set[str]], None]
    ) -> None:
        super().__init__(services, group, job)
        self._job = job
        self._metrics = metrics
        self._found = found

    def on_line(self, line: str) -> None:
        super().on_line(line)
        stamp = now()
        values = self._metrics.read(line, stamp)
        for metric, value in values.items():
            self._cloudwatch.metric(self._job, metric, value, stamp)
        if values:
            self._found(set(values))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
