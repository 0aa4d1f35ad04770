"""A plugin for the pytest of any suite: a line of JSON for each test, in the file that PUBLIC_SUITES_REPORT names."""

import json
import os
from pathlib import Path
from typing import Any


def pytest_runtest_logreport(report: Any) -> None:
    """A test's outcome is that of its call, or of what failed or was skipped before or after it."""
    if report.when == "call" or report.outcome != "passed":
        _note(report.nodeid, report)


def pytest_collectreport(report: Any) -> None:
    """A file that can't be read has no tests; a module that skips itself is one."""
    if report.outcome != "passed":
        _note(report.nodeid, report)


def _note(test: str, report: Any) -> None:
    outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
    line = json.dumps({"test": test, "outcome": outcome, "why": "" if outcome == "passed" else _why(report)})
    with Path(os.environ["PUBLIC_SUITES_REPORT"]).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _why(report: Any) -> str:
    """The first two lines of what went wrong, or the reason of who skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else str(report.longrepr or getattr(report, "wasxfail", ""))
    lines = [line for line in said.splitlines() if line.strip()]
    return " ".join(lines[:2] if crash else lines[-1:])
