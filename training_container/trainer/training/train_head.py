"""The setup of a head: it trains a classifier on the features that prepare extracted."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trainer import pack
from trainer.archive import HEAD
from trainer.job import JobPaths
from trainer.training.augment_features import batches
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Batch, Recipe
from trainer.training.sample import stratified_sample
from trainer.training.trial import TrialSetup, compile_for
from trainer.types import Floats, Integers

VALIDATION_ROWS = 1024
STEPS_AN_EPOCH, SMALLEST_BATCH = 16, 8
STATISTICS_ROWS = 8192


class HeadSplit(NamedTuple):
    """The rows (m,), in ascending order, of a split that the heads of a job use."""

    split: pack.FeatureSplit
    rows: Integers


class HeadData(NamedTuple):
    """What the heads of a job are trained and validated on."""

    training: HeadSplit
    validation: HeadSplit
    description: pack.Description


def read_head_data(job: JobPaths, backbone: str, sample: int) -> HeadData:
    """Reads the channel `features`; of each split at most `sample` images, or all if that is 0.

    A sample of up to 1 GiB as float32 is read into memory; more stays memory-mapped.
    """
    folder = job.channel("features")
    description = pack.read_description(folder)
    training, validation = (
        _sampled(pack.read_features(folder, backbone, split), description.labels, sample)
        for split in ("train", "validation")
    )
    return HeadData(training, validation, description)


def with_enough_steps(chosen: Hyperparameters, images: int) -> Hyperparameters:
    """Smaller batches for few training images, as an epoch of one or two steps teaches a head little.

    An epoch gets 16 steps if batches of 8 images make as many. The learning rate falls with the batch size's square
    root, which keeps AdamW's noise the same (Malladi et al. 2022, arXiv 2205.10287).
    """
    batch = min(chosen.batch_size, max(SMALLEST_BATCH, images // STEPS_AN_EPOCH))
    rate = chosen.learning_rate * math.sqrt(batch / chosen.batch_size)
    return replace(chosen, batch_size=batch, learning_rate=rate)


def head_recipe(data: HeadData, chosen: Hyperparameters) -> TrialSetup:
    """A new head."""
    training, validation, description = data
    chosen = with_enough_steps(chosen, len(training.rows))
    labels = len(description.labels)
    spread = training.rows[pack.evenly_spaced(len(training.rows), STATISTICS_ROWS)]
    network = build_head(_originals(training.split, spread), labels, chosen)
    compile_for(network, chosen, -(-len(training.rows) // chosen.batch_size) * chosen.epochs)

    def epoch(rng: np.random.Generator) -> Iterator[Batch]:
        return batches(training.split, training.rows, chosen, labels, rng)

    def validate() -> Floats:
        starts = range(0, len(validation.rows), VALIDATION_ROWS)
        parts = (_originals(validation.split, validation.rows[start : start + VALIDATION_ROWS]) for start in starts)
        return np.concatenate([network.predict_on_batch(part) for part in parts])

    recipe = Recipe(network, chosen.epochs, epoch, validate, validation.split.labels[validation.rows])
    return TrialSetup(recipe, HEAD, description.image_size, description.labels)


def _sampled(split: pack.FeatureSplit, labels: list[str], sample: int) -> HeadSplit:
    rows = stratified_sample(split.labels, labels, sample)
    _, views, width = split.features.shape
    is_large = len(rows) * views * width * np.dtype(np.float32).itemsize > pack.MAX_FLOAT32_BYTES
    if is_large or len(rows) == len(split.labels):
        return HeadSplit(split, rows)
    features = np.empty((len(rows), views, width), np.float32)
    for view in range(views):
        features[:, view] = split.features[rows, view]
    return HeadSplit(pack.FeatureSplit(features, split.labels[rows]), np.arange(len(rows)))


def _originals(split: pack.FeatureSplit, rows: Integers) -> Floats:
    """Rows that follow one another are read as a slice, which copies nothing that is float32 already."""
    first, last = int(rows[0]), int(rows[-1])
    follow = last - first == len(rows) - 1
    features = split.features[first : last + 1, 0] if follow else split.features[rows, 0]
    return features.astype(np.float32, copy=False)
