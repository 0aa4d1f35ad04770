"""The files of a run that an e-mail shows or has attached, read from where the local cloud keeps its buckets."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..access.credentials import ACCOUNT

MOST_BYTES = 3_400_000
"""Of all attachments together: encoded for mail they are a third more, so that an e-mail stays below 5 MB."""
MOST_LABELS = 16


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: `counts[i][j]` images of label i were taken for label j."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class RunFiles:
    """What there is of a run: a JPEG picture of its dataset, its report as HTML, and its confusion matrix."""

    mosaic: bytes | None = None
    report: bytes | None = None
    matrix: Matrix | None = None


def files_of(home: Path, run_id: str) -> RunFiles:
    """The files of a run that are there and small enough, the picture before the report."""
    folder = next((home / "s3" / ACCOUNT).glob(f"*/runs/{run_id}"), None)
    if folder is None:
        return RunFiles()
    mosaic = content(folder / "pack" / "mosaic.jpg", MOST_BYTES)
    report = content(folder / "evaluation" / "report.html", MOST_BYTES - len(mosaic or b""))
    return RunFiles(mosaic, report, matrix_in(folder / "evaluation" / "evaluation.json"))


def content(file: Path, most: int) -> bytes | None:
    """What a file holds; None if it is not there or is larger."""
    try:
        return file.read_bytes() if file.stat().st_size <= most else None
    except OSError:
        return None


def matrix_in(file: Path) -> Matrix | None:
    """The confusion matrix of an evaluation; None if there is none, or it is too large to be shown."""
    try:
        found = json.loads(file.read_bytes())
        matrix = Matrix(tuple(map(str, found["labels"])), tuple(tuple(map(int, row)) for row in found["confusion"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    square = all(len(row) == len(matrix.labels) for row in matrix.counts)
    shown = square and 2 <= len(matrix.labels) == len(matrix.counts) <= MOST_LABELS
    return matrix if shown else None
