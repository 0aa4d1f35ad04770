"""Metrics out of a job's output, by the regular expressions of its MetricDefinitions."""

import math
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import Invalid

LINE_LENGTH = 4096


def compile_definitions(definitions: Iterable[Mapping[str, str]]) -> dict[str, re.Pattern[str]]:
    """Metric name → pattern. Raises Invalid for a pattern that can't be compiled or that captures nothing."""
    patterns = {}
    for definition in definitions:
        name, text = definition["Name"], definition["Regex"]
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise Invalid(f"The regular expression of metric '{name}' can't be read: {error}.") from error
        if pattern.groups < 1:
            raise Invalid(f"The regular expression of metric '{name}' needs a group in parentheses around the value.")
        patterns[name] = pattern
    return patterns


class Metrics:
    """What a job has reported so far: each metric's values in their order."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = compile_definitions(definitions)
        self._lock = threading.Lock()
        self._points: dict[str, list[tuple[float, float]]] = {}

    def read(self, line: str, when: float) -> set[str]:
        """Takes in one line; the names of the metrics it held. Its last match counts, if that is a finite number."""
        found = set()
        for name, pattern in self._patterns.items():
            texts = [match.group(1) for match in pattern.finditer(line[:LINE_LENGTH])]
            value = _number(texts[-1]) if texts else None
            if value is not None:
                with self._lock:
                    self._points.setdefault(name, []).append((value, when))
                found.add(name)
        return found

    def series(self, name: str) -> list[float]:
        with self._lock:
            return [value for value, _ in self._points.get(name, [])]

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each metric, with its time in epoch seconds."""
        with self._lock:
            return [
                {"MetricName": name, "Value": points[-1][0], "Timestamp": points[-1][1]}
                for name, points in self._points.items()
            ]


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
