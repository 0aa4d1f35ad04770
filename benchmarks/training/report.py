"""The results as a page of Markdown."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import pairwise

from ..machine import processor
from .projection import (
    ARTICLE_ACCURACY,
    BATCH,
    EPOCH_IMAGES,
    FEWEST_IMAGES,
    MOST_IMAGES,
    TIMES_SHORTER,
    seconds_for,
)
from .results import FineTuning, Results
from .template import backbone, default

ACCURACY = f"{100 * ARTICLE_ACCURACY:.2f} %"

INTRODUCTION = """# Training benchmark
Written by `make bench-training` in one run on {cores} cores of {processor}: Python {python},
TensorFlow {tensorflow}, Keras {keras}, OpenVINO {openvino}, onnxruntime {onnxruntime}. Images: {images:,}{drawn}.

The parts run one after the other, each in its own process whose start counts in its seconds. Commands run in the
repository's root with `PYTHONPATH=.:training_container`; IMAGES is the folder of images. A verb is
`python -m trainer VERB` with its job's folder in `SAGEMAKER_BASE_DIR`; it finds nothing that an earlier job has cached.
The transfer of files between jobs, which SageMaker and S3 do, is left out.
"""

DRAWN = " drawn by `seedbed.seedlings`: the seconds are real, but the accuracies say little about photographs"

BAR = """## Time to {accuracy} on the test split
From the raw images to a scored head: prepare, one trial, evaluate. The founding recipe would take
{projected:,.0f} s, which is a projection (see below).

"""

ACCURACIES = """## Accuracy against time
Seconds from the raw images on; those of the test split include the evaluation. Fine-tuning continues from the head
with the template's defaults. The fine-tuned network's macro-F1 on the test split is {macro_f1:.4f}.

"""

TRAINING = """## Training the whole network
For plain Keras and the founding recipe the median step counts; for Seedbed the median epoch, with validation and
checkpoint. An epoch is {images:,} images. Plain Keras is `keras.utils.image_dataset_from_directory` and a network of
`keras.applications`, fine-tuned as Keras's guides do it. Their weights are random, as ImageNet's can't be had offline
and a step takes as long with any weights.

"""

ENGINES = """## Extracting features
{backbone} at {size} px, the median batch; prepare uses OpenVINO. Differences are relative to the largest feature.

"""

FOUNDING = """## The founding recipe
VGG19 at 128 px, its first 5 layers frozen, then Dense 1024, Dropout, Dense 1024; SGD with momentum 0.9; the article's
augmentation with Keras's own `ImageDataGenerator`, from images in memory, {batch} a step. Its weights are random, as
above.

**The times to {accuracy} are projections**: the images that the article's best job saw, divided by the
images per second measured here. That job trained 300 epochs of batch {batch}. But its script passed
`samples_per_epoch = n / batch_size`, under Keras 2 about 5 steps per epoch: {fewest:,} images, not {most:,}.
The ratios above use the smaller number. In the recipe's favour, its validation after each epoch and the other jobs of
its tuning are left out.

"""


def page(results: Results) -> str:
    parts = [_introduction, _bar, _verbs, _accuracies, _training, _engines, _founding]
    return "\n".join(part(results) for part in parts)


def _introduction(results: Results) -> str:
    versions = {name: version(name) for name in ("tensorflow", "keras", "openvino", "onnxruntime")}
    drawn = DRAWN if results.drawn else ""
    machine = {"cores": os.cpu_count(), "processor": processor(), "python": platform.python_version()}
    return INTRODUCTION.format(images=results.images, drawn=drawn, **machine, **versions)


def _bar(results: Results) -> str:
    projected = seconds_for(FEWEST_IMAGES, results.founding)
    rows = []
    for way in (results.shortest, results.default):
        reached, ratio = way.scores.accuracy >= ARTICLE_ACCURACY, projected / way.seconds
        times = f"{ratio:.0f} times shorter" if reached else "not reached"
        met = "yes" if reached and ratio >= TIMES_SHORTER else "no"
        accuracy = f"{way.scores.accuracy:.4f} of {way.scores.images}"
        rows.append([way.title, f"{way.seconds:.0f}", accuracy, f"≥ {TIMES_SHORTER} times shorter", times, met])
    text = BAR.format(accuracy=ACCURACY, projected=projected)
    heads = ["way", "seconds", "test accuracy", "bar", "against the founding recipe", "met"]
    return text + _table(heads, rows)


def _verbs(results: Results) -> str:
    ways = [(way.title, way.verbs) for way in (results.shortest, results.default)]
    ways.append(("from that head", results.fine_tuning.verbs))
    rows = [
        [title, f"`{verb.command}`", verb.purpose, f"{verb.seconds:.1f}"] for title, verbs in ways for verb in verbs
    ]
    return "## The verbs\n" + _table(["way", "verb", "purpose", "seconds"], rows)


def _accuracies(results: Results) -> str:
    """Fine-tuning starts from the default way's head, before that head's evaluation."""
    tuned, heads = results.fine_tuning, (results.shortest, results.default)
    start = sum(verb.seconds for verb in results.default.verbs[:-1])
    end = start + sum(verb.seconds for verb in tuned.verbs)
    points = [(way.seconds, f"head: {way.title}", "test", way.scores.accuracy) for way in heads]
    points += [
        (start + epoch.seconds, f"fine-tuning, epoch {epoch.number}", "validation", epoch.validation_accuracy)
        for epoch in tuned.epochs
    ]
    points.append((end, "fine-tuned", "test", tuned.scores.accuracy))
    rows = [[f"{seconds:.0f}", model, split, f"{accuracy:.4f}"] for seconds, model, split, accuracy in sorted(points)]
    text = ACCURACIES.format(macro_f1=tuned.scores.macro_f1)
    return text + _table(["seconds", "model", "split", "accuracy"], rows)


def _training(results: Results) -> str:
    """Seedbed's whole epochs, with validation and checkpoint, next to the others' steps alone."""
    size, seconds = default("FineTuneSize"), _epoch_seconds(results.fine_tuning)
    ours = results.fine_tuning.images / seconds
    rows = [[f"fine-tuning, {size} px", "`train`, kind fine-tune", f"{ours:.1f}", f"{seconds:.1f}", "1"]]
    commands = [
        (training, f"plain IMAGES {training.network} {size} {training.images}", f"{size} px")
        for training in results.plain
    ]
    founding = results.founding
    commands.append((founding, f"founding IMAGES {founding.images}", "128 px, the founding recipe"))
    for training, command, what in commands:
        rate = training.images_per_second
        epoch = results.fine_tuning.images / rate
        cells = [f"{rate:.1f}", f"{epoch:.1f}", f"{ours / rate:.2f}"]
        rows.append([f"{training.network}, {what}", f"`python -m benchmarks.training.{command}`", *cells])
    text = TRAINING.format(images=results.fine_tuning.images)
    heads = ["network", "command", "images/s", "seconds per epoch", "Seedbed is faster by"]
    return text + _table(heads, rows)


def _epoch_seconds(tuned: FineTuning) -> float:
    """The median without the first epoch, which starts the process and builds the graph, unless it is the only one."""
    ends = [0.0, *(epoch.seconds for epoch in tuned.epochs)]
    seconds = [after - before for before, after in pairwise(ends)]
    return statistics.median(seconds[1:] or seconds)


def _engines(results: Results) -> str:
    rows = [
        [f"`python -m benchmarks.training.engines IMAGES {name}`", f"{rate:.1f}", f"{difference:.1e}"]
        for name, rate, difference in results.engines
    ]
    text = ENGINES.format(backbone=backbone(), size=default("ImageSize"))
    return text + _table(["engine", "images/s", "largest difference from Keras"], rows)


def _founding(results: Results) -> str:
    founding = results.founding
    fewest, most = (seconds_for(images, founding) for images in (FEWEST_IMAGES, MOST_IMAGES))
    rows = [
        [f"{founding.images:,} images", f"{founding.seconds:,.0f}", "measured, with the first step"],
        [
            f"an epoch of the article's {EPOCH_IMAGES:,}",
            f"{seconds_for(EPOCH_IMAGES, founding):,.0f}",
            f"at {founding.images_per_second:.2f} images/s, the median step",
        ],
        [f"{FEWEST_IMAGES:,} images", f"{fewest:,.0f}", f"projected: {fewest / 3600:.1f} hours"],
        [f"{MOST_IMAGES:,} images", f"{most:,.0f}", f"projected: {most / 3600:.1f} hours"],
    ]
    text = FOUNDING.format(accuracy=ACCURACY, batch=BATCH, fewest=FEWEST_IMAGES, most=MOST_IMAGES)
    return text + _table(["what", "seconds", "how"], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]]
    return "\n".join(lines) + "\n"
