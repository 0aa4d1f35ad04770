"""Checks the labels of all images that are used, by the features that were extracted of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trainer.names import label_key
from trainer.pack import ShardedArray
from trainer.preparation.dataset import SPLITS, Dataset
from trainer.preparation.held_out import held_out_probabilities
from trainer.preparation.likely_wrong import MAX_LISTED, likely_wrong
from trainer.preparation.near_duplicates import duplicate_groups
from trainer.preparation.part import Parts
from trainer.preparation.write_part import PartJob
from trainer.types import Floats, Integers


@dataclass(frozen=True)
class WrongLabel:
    """An image whose label is likely wrong, the label that other images speak for, and that label's probability."""

    file: str
    label: str
    suggested: str
    confidence: float


def check_labels(parts: Parts, dataset: Dataset, job: PartJob) -> list[WrongLabel]:
    """The images of one part whose label is likely wrong, the most certain ones first, by one backbone's features."""
    backbone = job.options.backbones[0]
    row_of = {image.file: row for row, image in enumerate(parts.survey.checked)}
    images = [image for split in SPLITS for image in dataset.used if image.split == split]
    if len(dataset.labels) < 2:
        return []
    features = []
    for split in SPLITS:
        rows = [row_of[image.file] for image in images if image.split == split]
        if rows:
            files = [job.features(backbone, split, shard) for shard in parts.shards[split]]
            features.append(ShardedArray(files, parts.places[rows]))
    number_of = {label: number for number, label in enumerate(dataset.labels)}
    labels = np.array([number_of[image.label] for image in images], np.int64)
    groups = duplicate_groups([image.perceptual_hash for image in images])
    return [
        WrongLabel(
            file=images[suspect.row].file,
            label=images[suspect.row].label,
            suggested=dataset.labels[suspect.suggested],
            confidence=round(suspect.confidence, 4),
        )
        for suspect in likely_wrong(held_out_probabilities(_Features(features), labels, groups), labels)
    ]


def still_wrong(wrong: Iterable[WrongLabel], dataset: Dataset) -> list[WrongLabel]:
    """Those that the parts found, of the images and labels that the whole dataset uses; at most a thousand."""
    label_of = {image.file: image.label for image in dataset.used}
    named = {label_key(label): label for label in dataset.labels}
    kept = [
        WrongLabel(one.file, label_of[one.file], named[label_key(one.suggested)], one.confidence)
        for one in wrong
        if one.file in label_of and label_key(one.suggested) in named
    ]
    return sorted(kept, key=lambda one: (-one.confidence, one.file))[:MAX_LISTED]


def write_wrong_labels(path: Path, wrong: Sequence[WrongLabel]) -> None:
    """Writes the list as JSON."""
    text = json.dumps([asdict(label) for label in wrong], ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8", errors="replace")


class _Features:
    """The features of the unchanged images in several arrays (n, views, d), read a few rows at a time."""

    def __init__(self, splits: Sequence[ShardedArray]) -> None:
        self._splits = splits
        self._starts = np.cumsum([0, *map(len, splits)])

    def __call__(self, rows: Integers) -> Floats:
        """Rows in ascending order (m,) → (m, d)."""
        found = []
        for split, start, end in zip(self._splits, self._starts, self._starts[1:], strict=False):
            inside = rows[(rows >= start) & (rows < end)] - start
            found.append(split[inside, 0].astype(np.float32))
        return np.concatenate(found)
