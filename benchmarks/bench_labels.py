"""Measures how well likely wrong labels are found, on photographs some of whose labels are exchanged on purpose.

python -m benchmarks.bench_labels --images FOLDER --out docs/bench-labels.md [--cleanlab PYTHON]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trainer.preparation.held_out import held_out_probabilities
from trainer.preparation.likely_wrong import likely_wrong
from trainer.types import Floats, Integers

from .labels.dataset_features import LabelledFeatures, features_of

PEER = Path(__file__).with_name("labels") / "cleanlab_peer.py"
SHARES = (0.02, 0.05)
SLOW_CASE = "5% by chance"
"""The one case for which folds of logistic regression are fitted, which takes minutes."""
LOGISTIC = "cleanlab, on 5 folds of logistic regression"
HEAD = """\
# Likely wrong labels
`make bench-labels IMAGES=folder` writes this page{peer}. [labels.md](labels.md) says what is done and why.

{images:,} photographs of {labels} labels. Some labels are exchanged on purpose, by chance or within the pairs that are
confused most; *wrong* is the share of what is listed that was exchanged, *found* the share of the exchanged that is
listed. What is listed of the untouched photographs may be wrong in the original data, so that *wrong* is rather higher
than it says. Seconds are of one processor, without the features, which are there anyway.

| exchanged | how | listed | wrong | found | suggested right | seconds |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Case:
    """Labels of which a share is exchanged, and in words which and how."""

    name: str
    given: Integers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="a folder with one sub-folder per label")
    parser.add_argument("--cleanlab", help="an interpreter that has cleanlab and scikit-learn, to measure them beside")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    asked = parser.parse_args()
    data = features_of(asked.images)
    rows, versions = [], ""
    for case in cases(data):
        found, probabilities, seconds = ours(data, case.given)
        rows.append(line(case, data.labels, Listing("Seedbed", list(found), found, seconds)))
        if asked.cleanlab:
            theirs = peer(asked.cleanlab, data, case, probabilities)
            versions = theirs["versions"]
            rows.append(line(case, data.labels, Listing("cleanlab, on Seedbed's probabilities", theirs["same"])))
        if asked.cleanlab and case.name == SLOW_CASE:
            rows.append(line(case, data.labels, Listing(LOGISTIC, theirs["own"], seconds=theirs["seconds"])))
    head = HEAD.format(peer=f", beside {versions}" if versions else "", images=len(data.labels), labels=len(data.names))
    page = head + "".join(rows)
    asked.out.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


@dataclass(frozen=True)
class Listing:
    """The rows that a method lists; what it suggests for each, and the seconds that it took, if that is measured."""

    method: str
    rows: Sequence[int]
    suggested: Mapping[int, int] = field(default_factory=dict)
    seconds: float | None = None


def cases(data: LabelledFeatures) -> list[Case]:
    """The labels as they are, and with shares of them exchanged."""
    probabilities = held_out_probabilities(reader(data), data.labels, data.groups)
    confused = np.zeros((len(data.names), len(data.names)))
    np.add.at(confused, (data.labels, probabilities.argmax(axis=1)), 1)
    np.fill_diagonal(confused, 0)
    partner = (confused + confused.T).argmax(axis=1)
    found = [Case("nothing", data.labels)]
    for share in SHARES:
        rng = np.random.default_rng(1)
        rows = rng.choice(len(data.labels), round(share * len(data.labels)), replace=False)
        others = (data.labels[rows] + rng.integers(1, len(data.names), len(rows))) % len(data.names)
        for how, labels in (("by chance", others), ("within pairs", partner[data.labels[rows]])):
            given = data.labels.copy()
            given[rows] = labels
            found.append(Case(f"{share:.0%} {how}", given))
    return found


def ours(data: LabelledFeatures, given: Integers) -> tuple[dict[int, int], Floats, float]:
    """The rows that Seedbed lists with the labels that it suggests, the probabilities, and the seconds."""
    started = time.process_time()
    probabilities = held_out_probabilities(reader(data), given, data.groups)
    listed = likely_wrong(probabilities, given)
    return {suspect.row: suspect.suggested for suspect in listed}, probabilities, time.process_time() - started


def reader(data: LabelledFeatures) -> Any:
    return lambda rows: data.features[rows].astype(np.float32)


def peer(python: str, data: LabelledFeatures, case: Case, probabilities: Floats) -> dict[str, Any]:
    """What cleanlab lists."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "given.npz")
        np.savez(path, features=data.features, labels=case.given, probabilities=probabilities)
        done = subprocess.run(
            [python, str(PEER), str(path), *(["folds"] if case.name == SLOW_CASE else [])],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"cleanlab failed: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def line(case: Case, labels: Integers, found: Listing) -> str:
    """A row of the table."""
    exchanged = set(np.flatnonzero(case.given != labels).tolist())
    hits = exchanged & set(found.rows)
    right = sum(found.suggested[row] == labels[row] for row in hits) / len(hits) if found.suggested and hits else None
    cells = [
        case.name,
        found.method,
        str(len(found.rows)),
        f"{len(hits) / len(found.rows):.0%}" if exchanged and found.rows else "",
        f"{len(hits) / len(exchanged):.0%}" if exchanged else "",
        f"{right:.0%}" if right is not None else "",
        f"{found.seconds:.1f}" if found.seconds is not None else "",
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
