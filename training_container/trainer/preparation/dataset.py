"""Which files make up the dataset, which split each image belongs to, and why files are left out.

An image's split follows from its pixels alone: it stays the same as the dataset grows, so that scores stay comparable.
Of near-duplicates in several splits, one split keeps its images and those in the other splits are left out.
Folders whose names look alike hold one label.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from trainer.errors import BadInput
from trainer.names import listed, name_refusal, one_label_each, spelling_notices
from trainer.preparation.contradictions import contradictions
from trainer.preparation.near_duplicates import outranked

SplitName = Literal["train", "validation", "test"]

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SPLIT_PRIORITY: tuple[SplitName, ...] = ("test", "validation", "train")
EFFECT_OF_EMPTY_SPLIT: dict[SplitName, tuple[str, str]] = {
    "train": ("it can't be learnt until images are added", "they can't be learnt until images are added"),
    "validation": ("no trial is chosen for it", "no trial is chosen for them"),
    "test": ("how well it is recognised stays unknown", "how well they are recognised stays unknown"),
}
"""What it means to one label that a split has no images of it, and to several."""
TRAIN_SHARE = 0.70
VALIDATION_SHARE = 0.15


class LeftOut(NamedTuple):
    """Why a file is left out, and the file that shows the same picture."""

    reason: str
    other: str


class CheckedImage(NamedTuple):
    """A file that could be read as an image."""

    file: str
    """`<folder>/<file>`; the folder is its label as a person wrote it."""
    digest: str
    """SHA-256 of its pixels, in hexadecimal"""
    perceptual_hash: bytes
    """32 bytes, see perceptual_hash.py"""
    thumbnail: bytes | memoryview = b""
    """See thumbnail.py; an image without one is only compared by its digest and hash"""
    spelling: str = ""
    """Of its label; empty for the folder's name."""

    @property
    def folder(self) -> str:
        return self.file.split("/", 1)[0]

    @property
    def label(self) -> str:
        return self.spelling or self.folder

    @property
    def split(self) -> SplitName:
        return split_of(self.digest)


@dataclass
class Dataset:
    """The images to use and, by file name, the reason for each file that is left out."""

    labels: list[str]
    used: list[CheckedImage]
    duplicates: dict[str, str] = field(default_factory=dict)
    near_duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    """A sentence for each label with several spellings."""
    contradictory: list[str] = field(default_factory=list)
    """Files of `refused` whose picture is under another label too."""
    other_of: dict[str, str] = field(default_factory=dict)
    """For each file that is left out for another that shows its picture, that other file."""

    def counts(self) -> dict[str, dict[SplitName, int]]:
        """Images of each label in each split."""
        counted = Counter((image.label, split_of(image.digest)) for image in self.used)
        return {label: {split: counted[label, split] for split in SPLITS} for label in self.labels}

    def warnings(self) -> list[str]:
        """Sentences on pictures under two labels, labels with several spellings, and splits that lack a label."""
        return [*self._contradiction_warning(), *self.notices, *self._split_warnings()]

    def _contradiction_warning(self) -> list[str]:
        if not self.contradictory:
            return []
        count, example = len(self.contradictory), self.contradictory[0]
        left_out = f"{count:,} images are left out because their picture is also under another label"
        return [f"{left_out}, such as {example}: keep each picture under its right label alone."]

    def _split_warnings(self) -> Iterator[str]:
        counts = self.counts()
        for split, (of_one, of_several) in EFFECT_OF_EMPTY_SPLIT.items():
            lacking = [label for label, of_label in counts.items() if not of_label[split]]
            if len(lacking) == 1:
                images = sum(counts[lacking[0]].values())
                yield f"None of the {images} images of {lacking[0]} fell into the {split} split: {of_one}."
            elif lacking:
                yield f"{len(lacking):,} labels have no images in the {split} split, {listed(lacking)}: {of_several}."


def split_of(digest: str) -> SplitName:
    """70% train, 15% validation, 15% test: the first 64 bits of the digest, read as a fraction of 1, decide."""
    fraction = int(digest[:16], 16) / 2**64
    if fraction < TRAIN_SHARE:
        return "train"
    return "validation" if fraction < TRAIN_SHARE + VALIDATION_SHARE else "test"


def path_refusal(file: str) -> str | None:
    """The reason why a file's path excludes it from the dataset; None if it does not."""
    parts = file.split("/")
    reason = next((reason for part in parts if (reason := name_refusal(part))), None)
    return reason or ("not in a label's folder" if len(parts) == 1 else None)


def resolve(checked: Iterable[CheckedImage], refused: dict[str, str], minimum_per_label: int) -> Dataset:
    """Leaves out duplicates, near-duplicates across splits, contradictory labels, and labels with too few images.

    Of copies of an image under one label, the first by name is used. Under two labels none is used, as one must be
    wrong.
    """
    used: list[CheckedImage] = []
    duplicates: dict[str, LeftOut] = {}
    checked, notices = _with_one_label_each(checked)
    contradictory: dict[str, LeftOut] = {}
    compared: list[CheckedImage] = []
    for copies in _grouped_by_digest(checked):
        first, *others = copies
        compared += {copy.label: copy for copy in reversed(copies)}.values()
        if len({copy.label for copy in copies}) > 1:
            contradictory |= {copy.file: _contradiction(copy, copies) for copy in copies}
            continue
        used.append(first)
        duplicates |= {other.file: LeftOut(f"the same image as {first.file}", first.file) for other in others}
    contradictory = _nearly_under_two_labels(compared) | contradictory
    refused = refused | _reasons(contradictory)
    used = [image for image in used if image.file not in contradictory]
    near_duplicates = _across_splits(used)
    used = [image for image in used if image.file not in near_duplicates]
    usable = Counter(image.label for image in used)
    for image in used:
        if usable[image.label] < minimum_per_label:
            refused[image.file] = (
                f"too few images of its label: {usable[image.label]} usable, at least {minimum_per_label} are needed"
            )
    used = sorted(image for image in used if image.file not in refused)
    labels = sorted({image.label for image in used})
    left_out = duplicates | near_duplicates | contradictory
    return Dataset(
        labels=labels,
        used=used,
        duplicates=_reasons(duplicates),
        near_duplicates=_reasons(near_duplicates),
        refused=refused,
        notices=notices,
        contradictory=sorted(contradictory),
        other_of={file: why.other for file, why in left_out.items()},
    )


def _reasons(left_out: dict[str, LeftOut]) -> dict[str, str]:
    return {file: why.reason for file, why in left_out.items()}


def _with_one_label_each(checked: Iterable[CheckedImage]) -> tuple[list[CheckedImage], list[str]]:
    checked = list(checked)
    counted = Counter(image.folder for image in checked)
    label_of = one_label_each(counted)
    spelt = [image._replace(spelling=label_of[image.folder]) for image in checked]
    return spelt, spelling_notices(counted)


def _grouped_by_digest(checked: Iterable[CheckedImage]) -> list[list[CheckedImage]]:
    copies: dict[str, list[CheckedImage]] = defaultdict(list)
    for image in sorted(checked):
        copies[image.digest].append(image)
    return list(copies.values())


def _contradiction(image: CheckedImage, copies: list[CheckedImage]) -> LeftOut:
    other = next(copy.file for copy in copies if copy.label != image.label)
    return LeftOut(f"the same image under another label: {other}", other)


def _nearly_under_two_labels(images: list[CheckedImage]) -> dict[str, LeftOut]:
    """By file, the reason to refuse it: it shows the same picture as a file under another label."""
    by_digest = sorted(images, key=lambda image: (image.digest, image.file))  # a random order that stays the same
    hashes = [image.perceptual_hash for image in by_digest]
    thumbnails, labels = [image.thumbnail for image in by_digest], [image.label for image in by_digest]
    return {
        by_digest[row].file: LeftOut(f"nearly the same image under another label: {other}", other)
        for row, other in ((row, by_digest[it].file) for row, it in contradictions(hashes, thumbnails, labels).items())
    }


def _across_splits(images: list[CheckedImage]) -> dict[str, LeftOut]:
    """By file, the reason to leave it out: a near-duplicate in a split that comes earlier in `SPLIT_PRIORITY`."""
    splits = [split_of(image.digest) for image in images]
    kept_for = outranked([image.perceptual_hash for image in images], [SPLIT_PRIORITY.index(split) for split in splits])
    return {
        images[row].file: LeftOut(
            f"nearly the same as {images[kept].file} of the {splits[kept]} split", images[kept].file
        )
        for row, kept in kept_for.items()
    }


def check_trainable(dataset: Dataset, minimum_per_label: int) -> None:
    """Raises BadInput, which says what is missing, if no model can be trained and tested on the dataset."""
    if len(dataset.labels) < 2:
        kept = f"only {dataset.labels[0]} has" if dataset.labels else "none has"
        raise BadInput(
            f"Two labels with at least {minimum_per_label} usable images each are needed, but {kept} as many: "
            "add images, or see the dataset report for those refused."
        )
    counts, left_out = dataset.counts(), len(dataset.near_duplicates)
    near = f", and {left_out} were left out because they look nearly like others" if left_out else ""
    for split in SPLITS:
        if not any(of_label[split] for of_label in counts.values()):
            raise BadInput(
                f"None of the {len(dataset.used)} usable images fell into the {split} split{near}: add images."
            )
