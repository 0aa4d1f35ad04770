"""The images in the bucket, and which of them a run uses."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from .errors import RunRefused
from .names import hidden, name_refusal, one_label_each
from .plan import Plan

UPLOADS = "seedlings/"
RUNS = "runs/"
PRETRAINED = "pretrained/"
SEARCH_SPACE_FILE = "search-space.json"
MAXIMUM_IMAGE_BYTES = 200_000_000
NAMES_KEPT = 100
KINDS_KEPT = 20


@dataclass(frozen=True)
class StoredObject:
    """An object in the bucket: `etag` without quotes, `size` in bytes."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True)
class ExcludedFile:
    """A file and why it was refused or left out."""

    file: str
    reason: str

    @property
    def kind(self) -> str:
        """The reason without what it says of this file alone."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Split:
    """How many images of a label are in each split."""

    train: int = 0
    validation: int = 0
    test: int = 0


@dataclass(frozen=True)
class SizeRange:
    """How many images have a longer side of `least` to `most` pixels."""

    least: int
    most: int
    images: int


@dataclass(frozen=True)
class Snapshot:
    """The bucket at one moment: the images that a run would use, in key order, and the files that it can't use."""

    images: tuple[StoredObject, ...]
    refused: tuple[ExcludedFile, ...]

    def labels(self) -> dict[str, int]:
        """How many images each label has, in all of its spellings."""
        spelt = Counter(image.key.split("/")[1] for image in self.images)
        label_of, counts = one_label_each(spelt), Counter[str]()
        for spelling, count in spelt.items():
            counts[label_of[spelling]] += count
        return counts

    def version(self, plan: Plan) -> str:
        """The dataset version: SHA-256, in hex, over the images' (key, etag, size) and the plan."""
        return self._digest([plan.fingerprint()])

    def content(self) -> str:
        """SHA-256, in hex, over the images' (key, etag, size), whatever the plan."""
        return self._digest([])

    def refused_digest(self) -> str:
        """SHA-256, in hex, over the refused files and their reasons; empty if there are none."""
        return digest_of(f"{file.file}\t{file.reason}" for file in self.refused) if self.refused else ""

    def _digest(self, more: Sequence[str]) -> str:
        return digest_of(chain((f"{o.key}\t{o.etag}\t{o.size}" for o in self.images), more))

    def check(self, plan: Plan) -> None:
        """Raise RunRefused, with what is missing, if these images are too few to train on."""
        labels = self.labels()
        if len(self.images) < plan.minimum_images:
            raise RunRefused(
                f"There are too few images: {len(self.images)} of the {plan.minimum_images} that a run needs. "
                f"Upload {plan.minimum_images - len(self.images)} more under {UPLOADS}<label>/."
            )
        enough = [label for label, count in labels.items() if count >= plan.minimum_per_label]
        if len(enough) < 2:
            raise RunRefused(
                f"There are too few labels with at least {plan.minimum_per_label} images: {len(enough)} of the 2 that "
                "a classifier needs. Upload more images."
            )


@dataclass(frozen=True)
class DatasetReport:
    """What prepare made of a snapshot. Files are keys without `seedlings/`; other keys are given in full.

    A run lists at most a hundred files of each kind, so that it fits into an item of the table; `more_duplicates`,
    `more_near_duplicates` and `more_refused` count the rest. Those that people can mend come first, and `refused_kinds`
    counts all refused files by reason. `warnings` are sentences about what the dataset lacks.
    `likely_wrong_labels` counts images whose label is likely wrong; `label_sizes` has the smallest, the median and the
    largest longer side of each label's images in pixels, for up to 200 labels.
    """

    images: int
    used: int
    labels: dict[str, Split] = field(default_factory=dict)
    duplicates: tuple[ExcludedFile, ...] = ()
    refused: tuple[ExcludedFile, ...] = ()
    more_duplicates: int = 0
    more_refused: int = 0
    near_duplicates: tuple[ExcludedFile, ...] = ()
    more_near_duplicates: int = 0
    warnings: tuple[str, ...] = ()
    refused_kinds: dict[str, int] = field(default_factory=dict)
    likely_wrong_labels: int = 0
    sizes: tuple[SizeRange, ...] = ()
    label_sizes: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def with_refused(self, refused: Sequence[ExcludedFile]) -> "DatasetReport":
        """This report, cut to what a run keeps, with the files that never reached prepare."""
        duplicates, near = self.duplicates, self.near_duplicates
        every = sorted((*refused, *self.refused), key=lambda excluded: is_junk(excluded.file))
        kinds = Counter(excluded.kind for excluded in every)
        return replace(
            self,
            images=self.images + len(refused),
            duplicates=duplicates[:NAMES_KEPT],
            refused=tuple(every[:NAMES_KEPT]),
            more_duplicates=len(duplicates[NAMES_KEPT:]),
            more_refused=len(every[NAMES_KEPT:]),
            near_duplicates=near[:NAMES_KEPT],
            more_near_duplicates=len(near[NAMES_KEPT:]),
            warnings=self.warnings[:NAMES_KEPT],
            refused_kinds=dict(kinds.most_common(KINDS_KEPT)),
            likely_wrong_labels=self.likely_wrong_labels,
        )


def take_snapshot(objects: Iterable[StoredObject]) -> Snapshot:
    """Sort a bucket's objects into images and refused files, leaving out what is neither."""
    images, refused = [], []
    for stored in objects:
        if is_no_upload(stored):
            continue
        reason = refusal(stored)
        if reason:
            refused.append(ExcludedFile(stored.key.removeprefix(UPLOADS), reason))
        else:
            images.append(stored)
    return Snapshot(tuple(sorted(images, key=lambda o: o.key)), tuple(sorted(refused, key=lambda n: n.file)))


def is_no_upload(stored: StoredObject) -> bool:
    """Whether an object is a run's own, a folder's mark, pretrained weights, or the ranges of the search."""
    if stored.key.startswith((RUNS, PRETRAINED)) or stored.key == SEARCH_SPACE_FILE:
        return True
    return stored.key.endswith("/") and stored.size == 0


def digest_of(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def refusal(stored: StoredObject) -> str:
    """Why an object can't be an image of the dataset, judged by its key and size; empty if it can."""
    parts = stored.key.split("/")
    if len(parts) != 3 or parts[0] + "/" != UPLOADS or not all(parts):
        return f"not at {UPLOADS}<label>/<file>"
    reason = next((reason for part in parts[1:] if (reason := name_refusal(part))), None)
    if reason:
        return reason
    if stored.size == 0:
        return "an empty file"
    if stored.size > MAXIMUM_IMAGE_BYTES:
        return f"larger than {MAXIMUM_IMAGE_BYTES // 1_000_000} MB: save it as JPEG"
    return ""


def is_junk(file: str) -> bool:
    """Whether a file is hidden, or one that a system left there."""
    return any(hidden(part) for part in file.split("/"))
