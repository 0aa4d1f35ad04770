"""Features, labels and near-duplicate groups of a folder of labelled images, as prepare has them."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from trainer.decoding.pool import DecoderPool
from trainer.files import list_files
from trainer.preparation.dataset import resolve
from trainer.preparation.features import FeatureExtractor
from trainer.preparation.near_duplicates import duplicate_groups
from trainer.preparation.survey import survey
from trainer.types import Floats, Integers

BACKBONE, SIZE, MINIMUM_PER_LABEL = "efficientnet-lite0", 288, 10


class LabelledFeatures(NamedTuple):
    """Features (n, d) in float16, label numbers (n,), near-duplicate groups (n,), and the labels' names."""

    features: Floats
    labels: Integers
    groups: Integers
    names: list[str]


def features_of(images: Path) -> LabelledFeatures:
    """Reads the images of the folder once, and leaves out what prepare would leave out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        spools: dict[int, BinaryIO] = {SIZE: stack.enter_context(tempfile.TemporaryFile())}
        decoders = stack.enter_context(DecoderPool())
        found = survey(images, list_files(images), spools, decoders, lambda _: None)
        dataset = resolve(found.checked, found.refused, MINIMUM_PER_LABEL)
        row_of = {image.file: row for row, image in enumerate(found.checked)}
        extractor = FeatureExtractor(BACKBONE, SIZE, lambda _: None, lambda _: None, folder)
        path = folder / "features.npy"
        extractor.write(path, found.pixels[SIZE], [row_of[image.file] for image in dataset.used], 1)
        features = np.load(path)[:, 0]
    number_of = {name: number for number, name in enumerate(dataset.labels)}
    labels = np.array([number_of[image.label] for image in dataset.used], np.int64)
    groups = duplicate_groups([image.perceptual_hash for image in dataset.used])
    return LabelledFeatures(features, labels, groups, dataset.labels)
