"""What comes of a suite: its tests run one file after the other, each file in a process of its own."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from .catalogue import Catalogue, Suite

PLUGIN = "tools.public_suites.report"
LIMIT = 1800
"""Seconds for one file."""
OUT_OF_SCOPE, NOT_AT_HAND, PASSED, FAILED, SKIPPED = "out of scope", "not at hand", "passed", "failed", "skipped"
OUTCOMES = (PASSED, OUT_OF_SCOPE, FAILED, SKIPPED, NOT_AT_HAND)


class Row(msgspec.Struct, frozen=True):
    """test: a file, or one of its tests. day: when it ran, as 2026-11-27, if it did."""

    test: str
    outcome: str
    why: str = ""
    day: str = ""


def out_of_scope(suite: Suite, catalogue: Catalogue) -> list[Row]:
    """The files and tests of a suite that are not for this endpoint, and why."""
    named = [(test, reason) for test, reason in suite.files.items() if reason is not None]
    return [Row(test, OUT_OF_SCOPE, catalogue.reasons[reason]) for test, reason in named]


def of_file(file: str, suite: Suite, folder: Path, words: list[str], environment: Mapping[str, str]) -> Iterator[Row]:
    """The outcome of each test of a file in the folder, by these words that start its pytest.

    environment: with PUBLIC_SUITES_REPORT, a file that isn't there yet.
    """
    left_out = [word for test in suite.left_out_of(file) for word in ("--deselect", test)]
    command = [*words, "-p", PLUGIN, "-p", "no:cacheprovider", "--rootdir", ".", file, *left_out]
    report = Path(environment["PUBLIC_SUITES_REPORT"])
    late = ""
    try:
        done = subprocess.run(command, cwd=folder, env=environment, timeout=LIMIT, capture_output=True, check=False)
        last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
    except subprocess.TimeoutExpired:
        late, last = f"took longer than {LIMIT} s", []
    seen: dict[str, Row] = {}
    if report.exists():
        for line in report.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            why = said["why"].replace(f"{folder}{os.sep}", "")
            seen[said["test"]] = Row(said["test"], said["outcome"], why)
    if late or not seen:
        seen[file] = Row(file, FAILED, late or "".join(last) or "pytest said nothing")
    yield from seen.values()
