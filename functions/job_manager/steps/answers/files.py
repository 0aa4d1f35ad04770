"""What the API answers about single images of a run, and about a dataset as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ...domain.dataset import DatasetReport
from .runs import RunInShort


class FileKind(StrEnum):
    """Why an image is listed."""

    REFUSED = "refused"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    MISTAKE = "mistake"
    LIKELY_WRONG = "likely_wrong"
    SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True)
class File:
    """An image that a run left out, predicted wrongly, or shows otherwise. `url` shows it for a quarter of an hour.

    A mistake has its `label`, what it was `predicted` to be, and with which `confidence`; `picture_url` shows it small,
    and `heat_map_url` where the model looked. An image whose label is likely wrong has its `label`, the one `suggested`
    by other images, and with which `confidence`; a sample of a label has its `label`. All others have a `reason`, which
    may name an `other` image. `thumbnail` and `other_thumbnail` are the numbers of their thumbnails, if they have any.
    """

    kind: FileKind
    file: str
    url: str | None
    reason: str | None = None
    other: str | None = None
    other_url: str | None = None
    label: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    picture_url: str | None = None
    heat_map_url: str | None = None
    suggested: str | None = None
    thumbnail: int | None = None
    other_thumbnail: int | None = None


@dataclass(frozen=True)
class ThumbnailSheet:
    """Thumbnails in one picture, `url`: squares of `side` pixels, numbered row by row from 0."""

    url: str
    side: int
    columns: int
    rows: int


@dataclass(frozen=True)
class FileList:
    """A run's images of these kinds; `counts` counts all by kind, `next` is the cursor of further ones, if any.

    `thumbnails` is null until there are any.
    """

    run_id: str
    counts: Mapping[str, int]
    files: tuple[File, ...]
    next: str | None
    thumbnails: ThumbnailSheet | None = None


@dataclass(frozen=True)
class Dataset:
    """A version of the dataset: its runs, newest first, and what the latest made of it, null until it is prepared.

    `mosaic_url` is a picture of its images, for a quarter of an hour.
    """

    version: str
    runs: tuple[RunInShort, ...]
    report: DatasetReport | None
    mosaic_url: str | None
