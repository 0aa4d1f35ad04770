"""The images in the bucket, and what of them a run is started on."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from .errors import RunRefused
from .plan import Plan

UPLOADS = "seedlings/"
RUNS = "runs/"
PRETRAINED = "pretrained/"
MAXIMUM_IMAGE_BYTES = 50 * 1024 * 1024
MAXIMUM_NAME_BYTES = 255
NAMES_KEPT = 100


@dataclass(frozen=True)
class StoredObject:
    """An object in the bucket; `etag` without quotes, `size` in bytes."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True)
class Named:
    """A file and why it was refused or left out."""

    file: str
    reason: str


@dataclass(frozen=True)
class Split:
    """How many images of a label went where."""

    train: int = 0
    validation: int = 0
    test: int = 0


@dataclass(frozen=True)
class Snapshot:
    """The bucket at one moment: the images a run would use, in key order, and the files it can't."""

    images: tuple[StoredObject, ...]
    refused: tuple[Named, ...]

    def labels(self) -> dict[str, int]:
        """How many images each label has."""
        counts: dict[str, int] = {}
        for image in self.images:
            label = image.key.split("/")[1]
            counts[label] = counts.get(label, 0) + 1
        return counts

    def version(self, plan: Plan) -> str:
        """SHA-256, in hex, over the sorted (key, etag, size) lines and the plan."""
        return self._digest([plan.fingerprint()])

    def content(self) -> str:
        """The same over the images alone: what the bucket holds, whatever is planned with it."""
        return self._digest([])

    def strays(self) -> str:
        """The same over the refused files alone; empty if there are none."""
        return digest_of(f"{named.file}\t{named.reason}" for named in self.refused) if self.refused else ""

    def _digest(self, more: Sequence[str]) -> str:
        return digest_of(chain((f"{o.key}\t{o.etag}\t{o.size}" for o in self.images), more))

    def check(self, plan: Plan) -> None:
        """Raise RunRefused with what is missing where no model can come of these images."""
        labels = self.labels()
        if len(self.images) < plan.minimum_images:
            raise RunRefused(
                f"{len(self.images)} images are too few: a run needs {plan.minimum_images}. "
                f"Upload {plan.minimum_images - len(self.images)} more under {UPLOADS}<label>/."
            )
        enough = [label for label, count in labels.items() if count >= plan.minimum_per_label]
        if len(enough) < 2:
            raise RunRefused(
                f"{len(enough)} of {len(labels)} labels have the {plan.minimum_per_label} images a label needs; "
                "a classifier needs two such labels. Upload more images."
            )


@dataclass(frozen=True)
class DatasetReport:
    """What prepare made of a snapshot; files are named as keys below `seedlings/`, other keys in full.

    A run names so many that an item of the table holds it: `more_duplicates`, `more_near_duplicates` and `more_refused`
    count the others. `warnings` are sentences about what the dataset lacks.
    """

    images: int
    used: int
    labels: dict[str, Split] = field(default_factory=dict)
    duplicates: tuple[Named, ...] = ()
    refused: tuple[Named, ...] = ()
    more_duplicates: int = 0
    more_refused: int = 0
    near_duplicates: tuple[Named, ...] = ()
    more_near_duplicates: int = 0
    warnings: tuple[str, ...] = ()

    def with_refused(self, refused: Sequence[Named]) -> "DatasetReport":
        """This report of prepare's, naming also files that never reached it, as a run keeps it."""
        duplicates, near, every = self.duplicates, self.near_duplicates, (*refused, *self.refused)
        return DatasetReport(
            self.images + len(refused),
            self.used,
            self.labels,
            duplicates[:NAMES_KEPT],
            every[:NAMES_KEPT],
            len(duplicates[NAMES_KEPT:]),
            len(every[NAMES_KEPT:]),
            near[:NAMES_KEPT],
            len(near[NAMES_KEPT:]),
            self.warnings[:NAMES_KEPT],
        )


def take_snapshot(objects: Iterable[StoredObject]) -> Snapshot:
    """Sort a bucket's objects into images and refused files; what runs write, and pretrained weights, are neither."""
    images, refused = [], []
    for stored in objects:
        if stored.key.startswith((RUNS, PRETRAINED)) or (stored.key.endswith("/") and stored.size == 0):
            continue
        reason = refusal(stored)
        if reason:
            refused.append(Named(stored.key.removeprefix(UPLOADS), reason))
        else:
            images.append(stored)
    return Snapshot(tuple(sorted(images, key=lambda o: o.key)), tuple(sorted(refused, key=lambda n: n.file)))


def digest_of(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def refusal(stored: StoredObject) -> str:
    """Why a stored object can't be an image of the dataset, by its key and size alone; empty if it can."""
    parts = stored.key.split("/")
    if len(parts) != 3 or parts[0] + "/" != UPLOADS or not all(parts):
        return f"not at {UPLOADS}<label>/<file>"
    if not all(is_safe_name(part) for part in parts):
        return "a label or file name that no file system can hold safely"
    if stored.size == 0:
        return "an empty file"
    if stored.size > MAXIMUM_IMAGE_BYTES:
        return f"larger than {MAXIMUM_IMAGE_BYTES // 1024**2} MiB"
    return ""


def is_safe_name(name: str) -> bool:
    """Whether file systems, terminals and mail programs take a folder's or file's name as it is."""
    if name in {".", ".."} or "\\" in name:
        return False
    if not all(character.isprintable() or unicodedata.category(character) == "Zs" for character in name):
        return False
    return len(name.encode()) <= MAXIMUM_NAME_BYTES
