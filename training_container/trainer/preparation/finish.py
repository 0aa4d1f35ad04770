"""From the facts of all parts to the dataset: its report, its pictures, and the index that completes the pack."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import pack
from trainer.preparation.dataset import SPLITS, Dataset, SplitName, check_trainable
from trainer.preparation.giveaways import giveaway_lines
from trainer.preparation.label_check import WrongLabel, write_wrong_labels
from trainer.preparation.mosaic import write_mosaic
from trainer.preparation.notices import notice_lines
from trainer.preparation.options import PrepareOptions
from trainer.preparation.part import Parts
from trainer.preparation.sizes import label_sizes, size_counts
from trainer.preparation.survey import Survey
from trainer.preparation.thumbnail_sheet import write_thumbnails
from trainer.preparation.write_part import PHOTO_SPLITS, TRAINING_SPLITS


@dataclass(frozen=True)
class Finisher:
    """Writes what completes the pack in the folder `output`."""

    output: Path
    options: PrepareOptions
    parts: Parts
    dataset: Dataset
    seconds: Callable[[], float]
    """That preparing has taken so far."""

    def write(self, wrong_labels: Callable[[], list[WrongLabel]]) -> None:
        """Raises BadInput if no model can be trained on the dataset; its report is written in any case."""
        report = self._report(self.parts.survey)
        self._write_report(report)
        check_trainable(self.dataset, self.options.minimum_per_label)
        write_mosaic(self.output / "mosaic.jpg", self.dataset, self.parts.survey)
        wrong = wrong_labels()
        write_wrong_labels(self.output / "likely_wrong.json", wrong)
        write_thumbnails(self.output, self.dataset, self.parts.survey, [label.file for label in wrong])
        self._write_report({**report, "likely_wrong_labels": len(wrong)})
        self._write_index()

    def _report(self, found: Survey) -> dict[str, Any]:
        dataset, options = self.dataset, self.options
        notices = notice_lines((image.file for image in dataset.used), found.notices)
        giveaways = giveaway_lines((image.label, found.saved_as.get(image.file, ())) for image in dataset.used)
        return {
            "images": len(found.checked) + len(found.refused),
            "used": len(dataset.used),
            "backbones": list(options.backbones),
            "image_size": options.image_size,
            "fine_tune_size": options.fine_tune_size,
            "views": self.parts.views,
            "labels": dataset.counts(),
            "sizes": size_counts(dataset, found),
            "label_sizes": label_sizes(dataset, found),
            "likely_wrong_labels": 0,
            "warnings": dataset.warnings() + giveaways + notices,
            "duplicates": _named(dataset.duplicates),
            "near_duplicates": _named(dataset.near_duplicates),
            "refused": _named(dataset.refused),
        }

    def _write_report(self, report: dict[str, Any]) -> None:
        text = json.dumps({**report, "seconds": round(self.seconds(), 1)}, ensure_ascii=False, indent=1)
        (self.output / "report.json").write_text(text, encoding="utf-8", errors="replace")

    def _write_index(self) -> None:
        """Writes where the rows of each split are, and then what makes each folder complete."""
        rows, labels = self._rows_by_split()
        folders: dict[str, dict[str, SplitName]] = {split: {pack.PHOTOS: split} for split in PHOTO_SPLITS}
        folders["features"] = {split: split for split in TRAINING_SPLITS}
        if self.options.fine_tune_size:
            folders["training"] = folders["features"]
        for name, splits in folders.items():
            for stands_for, split in splits.items():
                pack.write_places(self.output / name, stands_for, self.parts.places[rows[split]])
                if split is stands_for:
                    pack.write_labels(self.output / name, split, labels[split])
            shards = {stands_for: self.parts.shards[split] for stands_for, split in splits.items()}
            pack.describe(self.output / name, self._description(shards))

    def _rows_by_split(self) -> tuple[dict[SplitName, list[int]], dict[SplitName, list[int]]]:
        """The rows of the survey, and the label numbers, of each split's images."""
        row_of = {image.file: row for row, image in enumerate(self.parts.survey.checked)}
        number_of = {label: number for number, label in enumerate(self.dataset.labels)}
        rows: dict[SplitName, list[int]] = {split: [] for split in SPLITS}
        labels: dict[SplitName, list[int]] = {split: [] for split in SPLITS}
        for image in self.dataset.used:
            rows[image.split].append(row_of[image.file])
            labels[image.split].append(number_of[image.label])
        return rows, labels

    def _description(self, shards: dict[str, list[str]]) -> pack.Description:
        chosen = self.options
        return pack.Description(
            list(chosen.backbones), chosen.image_size, chosen.fine_tune_size, self.dataset.labels, shards
        )


def _named(reasons: dict[str, str]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in sorted(reasons.items())]
