"""Features, labels and near-duplicate groups of a folder of labelled images, as prepare has them."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.decoding.pool import DecoderPool
from trainer.job import Hosts
from trainer.pack import ShardedArray
from trainer.preparation.dataset import SPLITS, resolve
from trainer.preparation.near_duplicates import duplicate_groups
from trainer.preparation.options import PrepareOptions
from trainer.preparation.part import Part, read_facts
from trainer.preparation.write_part import PartJob, write_part
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
    options = PrepareOptions(SIZE, 1, MINIMUM_PER_LABEL, (BACKBONE,), 0)
    with tempfile.TemporaryDirectory() as created, DecoderPool() as decoders:
        folder = Path(created)
        job = PartJob(
            images=images,
            pretrained=folder,
            output=folder,
            index=folder,
            scratch=folder,
            options=options,
            hosts=Hosts(),
            decoders=decoders,
            say=lambda _: None,
        )
        written = write_part(job)
        parts = read_facts(folder, [Part("algo-1", ["algo-1"], SIZE, 0, [BACKBONE], 1, written.rows, 0.0)])
        dataset = resolve(parts.survey.checked, parts.survey.refused, MINIMUM_PER_LABEL)
        row_of = {image.file: row for row, image in enumerate(parts.survey.checked)}
        features: npt.NDArray[Any] = np.empty((len(dataset.used), 9584), np.float16)
        for split in SPLITS:
            places = [place for place, image in enumerate(dataset.used) if image.split == split]
            rows = parts.places[[row_of[dataset.used[place].file] for place in places]]
            files = [job.features(BACKBONE, split, shard) for shard in parts.shards[split]]
            features[places] = ShardedArray(files, rows)[:, 0]
    number_of = {name: number for number, name in enumerate(dataset.labels)}
    labels = np.array([number_of[image.label] for image in dataset.used], np.int64)
    groups = duplicate_groups([image.perceptual_hash for image in dataset.used])
    return LabelledFeatures(features, labels, groups, dataset.labels)
