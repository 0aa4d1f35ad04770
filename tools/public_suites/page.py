"""docs/programs.md: written from outcomes, and read again for those that could not be had anew."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from .catalogue import Suite
from .outcomes import OUTCOMES, Row

HEAD = """# Public suites and programs
What comes of other people's tests and notebooks that use SageMaker, run against `seedbed sagemaker`.
`python -m tools.public_suites --suites FOLDER` writes this page; FOLDER holds checkouts, each named by its
repository, as in `FOLDER/aws/sagemaker-python-sdk`. What isn't there keeps its row of the last run, with its day.

AWS's images can't be pulled: in their place jobs run an image that has Python and what a job's own requirements
install. Out of scope is what [a list](../tools/public_suites/suites.yaml) says, with its reason, whatever would come
of it. Skipped is what a suite leaves out by itself.
"""
ROW = re.compile(
    r"^\| (?P<test>\S[^|]*?) \| (?P<outcome>[a-z ]+) \| (?P<why>.*?) ?\| (?P<day>[\d-]*) ?\|$", re.MULTILINE
)
LONGEST = 160


def text(rows: Mapping[str, Sequence[Row]], suites: Sequence[Suite]) -> str:
    """The page, with the rows of each suite by its name."""
    totals = [f"| suite | {' | '.join(OUTCOMES)} |", f"|---|{'---|' * len(OUTCOMES)}"]
    for suite in suites:
        counts = Counter(row.outcome for row in rows[suite.name])
        totals.append(f"| {suite.name} | {' | '.join(str(counts[outcome]) for outcome in OUTCOMES)} |")
    sections = [section(suite, rows[suite.name]) for suite in suites]
    return "\n".join([HEAD, *totals, "", "\n\n".join(sections)]) + "\n"


def section(suite: Suite, rows: Sequence[Row]) -> str:
    place = f"{suite.repository}, {suite.folder}" if suite.folder != "." else suite.repository
    lines = [
        f"## {suite.name}",
        f"From {place}. {suite.note}".rstrip(),
        "",
        "| file or test | outcome | why | run on |",
        "|---|---|---|---|",
    ]
    lines += [f"| {row.test} | {row.outcome} | {cell(row.why)} | {row.day} |" for row in rows]
    return "\n".join(lines)


def cell(why: str) -> str:
    """One line that a table can hold."""
    said = " ".join(why.split()).replace("|", "\\|").replace("<", "&lt;")
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def read(page: str) -> dict[str, list[Row]]:
    """The rows of each suite on a page that `text` has written."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    return {name: rows_of(part) for name, part in zip(parts[::2], parts[1::2], strict=True)}


def rows_of(part: str) -> list[Row]:
    found = [row.groupdict() for row in ROW.finditer(part)]
    return [Row(**{**row, "why": row["why"].replace("\\|", "|")}) for row in found]
