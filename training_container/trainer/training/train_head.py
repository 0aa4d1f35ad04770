"""The setup of a head: it trains a classifier on the features that prepare extracted."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trainer import pack
from trainer.archive import HEAD
from trainer.job import JobPaths
from trainer.training.augment_features import batches
from trainer.training.head import build_head
from trainer.training.hyperparameters import Hyperparameters
from trainer.training.loop import Batch, Recipe
from trainer.training.trial import TrialSetup, compile_for
from trainer.types import Floats

VALIDATION_ROWS = 1024


class HeadData(NamedTuple):
    """What the heads of a job are trained and validated on."""

    training: pack.FeatureSplit
    validation: pack.FeatureSplit
    description: pack.Description


def read_head_data(job: JobPaths, backbone: str) -> HeadData:
    """Reads the channel `features`."""
    folder = job.channel("features")
    description = pack.read_description(folder)
    training, validation = (pack.read_features(folder, backbone, split) for split in ("train", "validation"))
    return HeadData(training, validation, description)


def head_recipe(data: HeadData, chosen: Hyperparameters) -> TrialSetup:
    """A new head."""
    training, validation, description = data
    labels = len(description.labels)
    network = build_head(training.features[:, 0], labels, chosen)
    compile_for(network, chosen, -(-len(training.labels) // chosen.batch_size) * chosen.epochs)

    def epoch(rng: np.random.Generator) -> Iterator[Batch]:
        return batches(training, chosen, labels, rng)

    def validate() -> Floats:
        starts = range(0, len(validation.labels), VALIDATION_ROWS)
        rows = (
            validation.features[start : start + VALIDATION_ROWS, 0].astype(np.float32, copy=False) for start in starts
        )
        return np.concatenate([network.predict_on_batch(part) for part in rows])

    recipe = Recipe(network, chosen.epochs, epoch, validate, validation.labels)
    return TrialSetup(recipe, HEAD, description.image_size, description.labels)
