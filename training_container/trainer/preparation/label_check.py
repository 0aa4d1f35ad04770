"""Checks the labels of all images that are used, by the features that were extracted of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer import pack
from trainer.preparation.dataset import SPLITS
from trainer.preparation.held_out import held_out_probabilities
from trainer.preparation.likely_wrong import likely_wrong
from trainer.preparation.near_duplicates import duplicate_groups
from trainer.preparation.write_pack import PackWriter
from trainer.types import Floats, Integers


@dataclass(frozen=True)
class WrongLabel:
    """An image whose label is likely wrong, the label that other images speak for, and that label's probability."""

    file: str
    label: str
    suggested: str
    confidence: float


def check_labels(writer: PackWriter) -> list[WrongLabel]:
    """The images whose label is likely wrong, the most certain ones first, once the writer has written the pack."""
    backbone, by_split = writer.options.backbones[0], writer.by_split()
    folders = {split: writer.scratch if split == "test" else writer.output / "features" for split in SPLITS}
    parts = [np.load(folders[split] / pack.features_file(backbone, split), mmap_mode="r") for split in SPLITS]
    rows = [row for split in SPLITS for row in by_split[split].rows]
    labels = np.array([number for split in SPLITS for number in by_split[split].labels], np.int64)
    groups = duplicate_groups([writer.survey.checked[row].perceptual_hash for row in rows])
    names, checked = writer.dataset.labels, writer.survey.checked
    return [
        WrongLabel(
            file=checked[rows[suspect.row]].file,
            label=names[labels[suspect.row]],
            suggested=names[suspect.suggested],
            confidence=round(suspect.confidence, 4),
        )
        for suspect in likely_wrong(held_out_probabilities(_Features(parts), labels, groups), labels)
    ]


def write_wrong_labels(path: Path, wrong: Sequence[WrongLabel]) -> None:
    """Writes the list as JSON."""
    text = json.dumps([asdict(label) for label in wrong], ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8", errors="replace")


class _Features:
    """The features of the unchanged images in several arrays (n, views, d), read a few rows at a time."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])

    def __call__(self, rows: Integers) -> Floats:
        """Rows in ascending order (m,) → (m, d)."""
        found = []
        for part, start, end in zip(self._parts, self._starts, self._starts[1:], strict=False):
            inside = rows[(rows >= start) & (rows < end)] - start
            found.append(np.asarray(part[inside, 0], np.float32))
        return np.concatenate(found)
