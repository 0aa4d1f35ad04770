"""One trial of a search: a training job's heads, scored on the validation split and, unseen by the search, on test."""

import signal
import tempfile
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trainer.job import JobPaths
from trainer.types import Floats, Labels

from .prepared import TestFeatures, features_folder, test_features

SMALLEST_PROBABILITY = 1e-7


class Outcome(NamedTuple):
    """What a trial scored. Losses are cross-entropies in nats; `changed` is of test photographs changed at random."""

    validation_accuracy: float
    validation_loss: float
    test_accuracy: float
    test_loss: float
    changed_accuracy: float
    changed_loss: float
    seconds: float
    """Of processor time."""


def run(folder: Path, texts: Mapping[str, str]) -> Outcome:
    """Trains with these hyperparameters on the data set in `folder`, as a job does."""
    from trainer.training.heads import train_heads  # noqa: PLC0415  loads Keras
    from trainer.training.hyperparameters import parse_hyperparameters  # noqa: PLC0415
    from trainer.training.loop import StopRequest  # noqa: PLC0415
    from trainer.training.trial import Surroundings  # noqa: PLC0415

    began = time.process_time()
    with tempfile.TemporaryDirectory() as base:
        job = JobPaths(Path(base))
        channel = job.channel("features")
        channel.parent.mkdir(parents=True)
        channel.symlink_to(features_folder(folder))
        before = signal.getsignal(signal.SIGTERM)
        around = Surroundings(StopRequest(), job.checkpoints, job.output_data, lambda _: None)
        signal.signal(signal.SIGTERM, before)  # it ends the benchmark, and not only the trial
        trained = train_heads(job, parse_hyperparameters(texts), around)
    seconds = time.process_time() - began
    test = _test(folder)
    network = trained.setup.recipe.network
    views = [network.predict_on_batch(test.features[:, view]) for view in range(test.features.shape[1])]
    scores = [_score(view, test.labels) for view in views]
    changed_accuracy, changed_loss = (float(value) for value in np.mean(scores[1:], axis=0))
    metrics = trained.best.metrics
    return Outcome(
        validation_accuracy=metrics.validation_accuracy,
        validation_loss=metrics.validation_loss,
        test_accuracy=scores[0][0],
        test_loss=scores[0][1],
        changed_accuracy=changed_accuracy,
        changed_loss=changed_loss,
        seconds=seconds,
    )


@lru_cache
def _test(folder: Path) -> TestFeatures:
    return test_features(folder)


def _score(probabilities: Floats, truth: Labels) -> tuple[float, float]:
    """Accuracy and loss."""
    of_truth = np.maximum(probabilities[np.arange(len(truth)), truth], SMALLEST_PROBABILITY)
    return float((probabilities.argmax(axis=1) == truth).mean()), float(-np.log(of_truth).mean())
