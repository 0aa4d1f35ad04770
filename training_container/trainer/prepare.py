"""Labelled images → the pack that the later jobs read.

Every file is read once, and memory holds a few of them at a time. One instance does all of it. Of several, each makes a
part of its share of the files, and `merge` makes the dataset of the parts.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from trainer.decoding.pool import DecoderPool
from trainer.errors import BadInput
from trainer.job import JobPaths
from trainer.preparation.dataset import resolve
from trainer.preparation.finish import Finisher
from trainer.preparation.label_check import WrongLabel, check_labels, still_wrong
from trainer.preparation.options import PrepareOptions
from trainer.preparation.part import Part, read_facts, read_headers, write_header
from trainer.preparation.write_part import PartJob, write_part
from trainer.types import Say

PARTS = "parts"


def prepare(job: JobPaths, options: PrepareOptions, say: Say) -> None:
    """Writes the pack's folders, its reports and its pictures, from the input `images`.

    The input `pretrained` is as for `build_backbone`. Raises BadInput if no model can be trained on the images; the
    report is written in any case, so that a person can see why files were refused. One of several instances writes its
    part alone.
    """
    started = time.monotonic()
    output, hosts = job.processing_output, job.processing_hosts()
    output.mkdir(parents=True, exist_ok=True)
    several = len(hosts.names) > 1
    with tempfile.TemporaryDirectory(dir=output) as scratch, DecoderPool(options.limits) as decoders:
        work = PartJob(
            images=job.processing_input("images"),
            pretrained=job.processing_input("pretrained"),
            output=output,
            index=(output if several else Path(scratch)) / PARTS,
            scratch=Path(scratch),
            options=options,
            hosts=hosts,
            decoders=decoders,
            say=say,
        )
        written = write_part(work)
        part = Part(
            host=hosts.current,
            hosts=list(hosts.names),
            image_size=options.image_size,
            fine_tune_size=options.fine_tune_size,
            backbones=list(options.backbones),
            views=written.views,
            rows=written.rows,
            seconds=time.monotonic() - started,
        )
        parts = read_facts(work.index, [part])
        dataset = resolve(parts.survey.checked, parts.survey.refused, 1 if several else options.minimum_per_label)

        def wrong_labels() -> list[WrongLabel]:
            return check_labels(parts, dataset, work)

        if several:
            wrong = [asdict(label) for label in wrong_labels()]
            write_header(work.index, replace(part, wrong=wrong, seconds=time.monotonic() - started))
        else:
            _finish(Finisher(output, options, parts, dataset, lambda: time.monotonic() - started), wrong_labels)


def merge(job: JobPaths, options: PrepareOptions, say: Say) -> None:
    """Completes the pack from the parts' indexes in the input `parts`, with the options that they were made with.

    Raises BadInput if a part is missing or was made otherwise, and as prepare does.
    """
    started = time.monotonic()
    folder, output = job.processing_input(PARTS), job.processing_output
    output.mkdir(parents=True, exist_ok=True)
    headers = read_headers(folder)
    for part in headers:
        made = part.image_size, part.fine_tune_size, tuple(part.backbones)
        if made != (options.image_size, options.fine_tune_size, options.backbones):
            raise BadInput(f"The part of {part.host} was prepared with other sizes or backbones: run prepare again.")
    parts = read_facts(folder, headers)
    dataset = resolve(parts.survey.checked, parts.survey.refused, options.minimum_per_label)
    say(f"merged: {len(headers)} parts, {len(dataset.used)} images are used")
    longest = max(part.seconds for part in headers)
    wrong = [WrongLabel(**label) for part in headers for label in part.wrong]
    finisher = Finisher(output, options, parts, dataset, lambda: longest + time.monotonic() - started)
    _finish(finisher, lambda: still_wrong(wrong, dataset))


def _finish(finisher: Finisher, wrong_labels: Callable[[], list[WrongLabel]]) -> None:
    try:
        finisher.write(wrong_labels)
    except BadInput:  # nobody reads what was written beside the report
        for folder in ("features", "training", "validation", "test"):
            shutil.rmtree(finisher.output / folder, ignore_errors=True)
        raise
