"""Submissions to Kaggle's Plant Seedlings Classification: `file,species`, one row per image."""

import csv
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from .errors import SeedbedError, check_writable, writing
from .predict import predict
from .terminal.text import listed

NAMES_SHOWN = 20


def write_submission(model: Path, paths: list[Path], target: Path) -> str:
    """Write a row for each image, with its file name, and return a summary for the user.

    The competition needs a row for every image: one that can't be read gets the most common label. Raises SeedbedError
    if two images have the same name, or none can be read.
    """
    check_writable(target)
    labels = _labels(model, paths)
    unread = sorted(path for path, label in labels.items() if not label)
    ((commonest, _),) = Counter(label for label in labels.values() if label).most_common(1)
    rows = sorted((path.name, label or commonest) for path, label in labels.items())
    for (name, _), (other, _) in pairwise(rows):
        if name == other:
            raise SeedbedError(f"Two images are called {name}, but a submission can have only one of that name.")
    with writing(target), target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        written = csv.writer(file, lineterminator="\n")
        written.writerow(("file", "species"))
        written.writerows(rows)
    summary = f"{target} has a row for each image, {len(rows):,} in all."
    if not unread:
        return summary
    names = listed([path.name for path in unread], NAMES_SHOWN)
    return f"{summary} {len(unread):,} can't be read and have the most common label, {commonest}: {names}."


def _labels(model: Path, paths: list[Path]) -> dict[Path, str]:
    """By image, its label; empty for one that can't be read."""
    with tempfile.TemporaryDirectory() as scratch:
        labelled = Path(scratch, "labels.csv")
        predict(model, paths, labelled, every_image=True)
        with labelled.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return {Path(row["file"]): row["label"] for row in csv.DictReader(file)}
