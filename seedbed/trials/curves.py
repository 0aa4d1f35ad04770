"""Each trial's metrics over its epochs, read from what it printed by the regular expressions of its job."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..watch.logs import Line, Source
from .tuning_job import Trial, TuningJob

Points = list[tuple[float | None, float]]
LONGEST_LINE = 10_000
MATCH_SECONDS = 0.05
MOST_POINTS = 20_000


def read_curves(job: TuningJob, sources: Sequence[Source]) -> dict[str, dict[str, Points]]:
    """By trial and metric, the points in their order: (epoch seconds or None if it is not known, value).

    Each trial's log is read from the first source that has it; a trial without a log is left out.
    Raises ClientError where one may not ask for logs.
    """
    found: dict[str, dict[str, Points]] = {}
    names: dict[str, Source] = {}
    for source in sources:
        for name in source.jobs(job.name):
            names.setdefault(name.lower(), source)
    for trial in job.trials:
        if trial.name.lower() in names:
            patterns = compiled(job.definition_of(trial).regexes)
            found[trial.name] = points(lines_of(names[trial.name.lower()], trial), patterns)
    return found


def lines_of(source: Source, trial: Trial) -> Iterable[Line]:
    """The lines of a trial's log."""
    return source.new_lines(trial.name)


def compiled(regexes: Mapping[str, str]) -> dict[str, Any]:
    """The patterns by metric, without those that can't be read or name no group."""
    import regex  # noqa: PLC0415  an extra

    patterns = {}
    for name, text in regexes.items():
        with suppress(regex.error, OverflowError, RecursionError):
            pattern = regex.compile(text)
            if pattern.groups:
                patterns[name] = pattern
    return patterns


def points(lines: Iterable[Line], patterns: Mapping[str, Any]) -> dict[str, Points]:
    """The metrics' values: of each line, each metric's last match that is a finite number.

    A regular expression that takes too long for a line is not asked again.
    """
    found: dict[str, Points] = {}
    left = dict(patterns)
    for line in lines:
        for name, pattern in list(left.items()):
            try:
                value = last_value(pattern, line.text[:LONGEST_LINE])
            except TimeoutError:
                del left[name]
                continue
            if value is not None and len(found.setdefault(name, [])) < MOST_POINTS:
                found[name].append((line.at / 1000 if line.at is not None else None, value))
    return {name: values for name, values in found.items() if values}


def last_value(pattern: Any, text: str) -> float | None:
    """The last match's number. Raises TimeoutError if the match takes too long."""
    value = None
    for match in pattern.finditer(text, timeout=MATCH_SECONDS):
        with suppress(ValueError, TypeError):
            number = float(match[1])
            value = number if math.isfinite(number) else value
    return value
