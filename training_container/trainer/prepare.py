"""Labelled images → the pack: every file is decoded once, checked, split, and turned into what the later jobs read.

Decoded images wait in temporary files, not in memory, until all names and duplicates are settled.
"""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from trainer.decoding.pool import Decoders
from trainer.files import list_files
from trainer.preparation.dataset import Dataset, check_trainable, resolve
from trainer.preparation.mosaic import write_mosaic
from trainer.preparation.survey import survey
from trainer.preparation.write_pack import PackWriter, Settings
from trainer.types import Say


def prepare(images: Path, pretrained: Path, output: Path, settings: Settings, say: Say) -> None:
    """Writes the pack's folders, `report.json` and `mosaic.jpg` below `output`, from the folder `images`.

    `pretrained` is as `build_backbone` takes it.

    BadInput where no model can come of the images. The report is written in either case, so that a person can see why
    files were refused.
    """
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    files = list_files(images)
    with ExitStack() as stack:
        spools: dict[int, BinaryIO] = {size: stack.enter_context(tempfile.TemporaryFile()) for size in settings.sizes}
        decoders = stack.enter_context(Decoders(settings.limits))
        read = survey(images, files, spools, decoders, lambda done: say(f"checked: {done}/{len(files)} files"))
        dataset = resolve(read.checked, read.refused, settings.minimum_per_label)
        _write_report(output, dataset, len(files), settings, time.monotonic() - started)
        check_trainable(dataset, settings.minimum_per_label)
        write_mosaic(output / "mosaic.jpg", dataset, read)
        PackWriter(images, pretrained, output, read, dataset, settings, decoders).write(say)
    _write_report(output, dataset, len(files), settings, time.monotonic() - started)


def _write_report(output: Path, dataset: Dataset, files: int, settings: Settings, seconds: float) -> None:
    report = {
        "images": files,
        "used": len(dataset.used),
        "backbones": list(settings.backbones),
        "image_size": settings.image_size,
        "fine_tune_size": settings.fine_tune_size,
        "views": settings.views,
        "seconds": round(seconds, 1),
        "labels": dataset.counts(),
        "warnings": dataset.warnings(),
        "duplicates": _named(dataset.duplicates),
        "near_duplicates": _named(dataset.near_duplicates),
        "refused": _named(dataset.refused),
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (output / "report.json").write_text(text, encoding="utf-8", errors="replace")


def _named(reasons: dict[str, str]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in sorted(reasons.items())]
