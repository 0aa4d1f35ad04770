"""Labelled images → the pack that the later jobs read.

Every file is decoded once. Decoded images are kept in temporary files, not in memory, until all duplicates are found;
these are beside the pack, as the job's disk is measured for both.
"""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from trainer.decoding.pool import DecoderPool
from trainer.files import list_files
from trainer.preparation.dataset import Dataset, check_trainable, resolve
from trainer.preparation.giveaways import giveaway_lines
from trainer.preparation.label_check import check_labels, write_wrong_labels
from trainer.preparation.mosaic import write_mosaic
from trainer.preparation.notices import notice_lines
from trainer.preparation.sizes import label_sizes, size_counts
from trainer.preparation.survey import Survey, survey
from trainer.preparation.thumbnail_sheet import write_thumbnails
from trainer.preparation.write_pack import PackWriter, PrepareOptions
from trainer.types import Say


def prepare(images: Path, pretrained: Path, output: Path, options: PrepareOptions, say: Say) -> None:
    """Writes the pack's folders, its reports and its pictures below `output`, from the folder `images`.

    `pretrained` is as for `build_backbone`. Raises BadInput if no model can be trained on the images; the report is
    written in any case, so that a person can see why files were refused.
    """
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    files = list_files(images)
    with ExitStack() as stack:
        spools: dict[int, BinaryIO] = {
            size: stack.enter_context(tempfile.TemporaryFile(dir=output)) for size in options.sizes
        }
        decoders = stack.enter_context(DecoderPool(options.limits))
        found = survey(images, files, spools, decoders, lambda done: say(f"checked: {done}/{len(files)} files"))
        dataset = resolve(found.checked, found.refused, options.minimum_per_label)
        report = _report(dataset, found, options)
        _write_report(output, report, started)
        check_trainable(dataset, options.minimum_per_label)
        write_mosaic(output / "mosaic.jpg", dataset, found)
        writer = PackWriter(
            images=images,
            pretrained=pretrained,
            output=output,
            scratch=Path(stack.enter_context(tempfile.TemporaryDirectory(dir=output))),
            survey=found,
            dataset=dataset,
            options=options,
            decoders=decoders,
        )
        writer.write(say)
        wrong = check_labels(writer)
        write_wrong_labels(output / "likely_wrong.json", wrong)
        write_thumbnails(output, dataset, found, [label.file for label in wrong])
    _write_report(output, {**report, "likely_wrong_labels": len(wrong)}, started)


def _report(dataset: Dataset, found: Survey, options: PrepareOptions) -> dict[str, Any]:
    notices = notice_lines((image.file for image in dataset.used), found.notices)
    giveaways = giveaway_lines((image.label, found.saved_as.get(image.file, ())) for image in dataset.used)
    return {
        "images": len(found.checked) + len(found.refused),
        "used": len(dataset.used),
        "backbones": list(options.backbones),
        "image_size": options.image_size,
        "fine_tune_size": options.fine_tune_size,
        "views": options.views,
        "labels": dataset.counts(),
        "sizes": size_counts(dataset, found),
        "label_sizes": label_sizes(dataset, found),
        "likely_wrong_labels": 0,
        "warnings": dataset.warnings() + giveaways + notices,
        "duplicates": _named(dataset.duplicates),
        "near_duplicates": _named(dataset.near_duplicates),
        "refused": _named(dataset.refused),
    }


def _write_report(output: Path, report: dict[str, Any], started: float) -> None:
    seconds = round(time.monotonic() - started, 1)
    text = json.dumps({**report, "seconds": seconds}, ensure_ascii=False, indent=1)
    (output / "report.json").write_text(text, encoding="utf-8", errors="replace")


def _named(reasons: dict[str, str]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in sorted(reasons.items())]
