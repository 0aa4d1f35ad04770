"""Scores whole models on the test split: on its photographs as they are, and on a sample of them changed harmlessly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.answering.averages import average_probabilities
from trainer.answering.verdicts import Verdicts, thresholds_in, verdicts
from trainer.archive import Model
from trainer.evaluation.metrics import UNKNOWN, Scores, score
from trainer.evaluation.named_changes import CHANGES
from trainer.evaluation.thresholds import sureness
from trainer.evaluation.under_changes import predict_changed, summary
from trainer.inference.averaging import engine_for, predict_photos
from trainer.names import label_key
from trainer.pack import evenly_spaced
from trainer.photos import Photos
from trainer.types import Engine, Floats, Labels, Say


@dataclass(frozen=True)
class Answers:
    """What a model answers on the test split."""

    single_view: Floats
    """Probabilities (n, labels) by a single view."""
    averaged: Floats
    """Probabilities (n, labels), averaged over the views."""
    verdicts: Verdicts
    """What the model says with its thresholds and distance, averaged over the views."""
    changed: "ChangedAnswers | None"
    """None if no photograph was changed."""


@dataclass(frozen=True)
class ChangedAnswers:
    """What a model answers on a sample of k test photographs under c changes, by a single view."""

    scores: dict[str, Any]
    """As in evaluation.json."""
    probabilities: Floats
    """(c * k, labels)"""
    verdicts: Verdicts
    truth: Labels
    """(c * k,)"""


class TestSplit:
    """The test photographs, `changed_images` of which are also changed harmlessly, for any number of models."""

    def __init__(self, photos: Photos, labels: Sequence[str], changed_images: int, say: Say) -> None:
        self._photos = photos
        self._labels = list(labels)
        self._sample = evenly_spaced(len(photos.names), changed_images)
        self._say = say

    def answers_of(self, model: Model) -> Answers:
        """The model's answers, at its own image size and number of views; under changes in a single view."""
        passes = len(self._photos.names) * model.views + len(self._sample) * len(CHANGES)
        predict = engine_for(model, passes, self._say)
        by_view = predict_photos(model, self._photos, model.views, self._say, predict)
        probabilities = by_view[:, :, : len(model.labels)]
        return Answers(
            single_view=probabilities[0],
            averaged=average_probabilities(probabilities),
            verdicts=verdicts(by_view, len(model.labels), thresholds_in(model.facts)),
            changed=self._under_changes(model, predict, probabilities[0]) if self._sample else None,
        )

    def score(self, model: Model, probabilities: Floats) -> Scores:
        """The scores of a model's probabilities (n, labels) for all test photographs."""
        return self._score(model, probabilities, self._photos.labels)

    def findings(self, model: Model, answers: Answers) -> dict[str, Any]:
        """The scores for evaluation.json: averaged over all views, with a single view, and under changes."""
        scores, single_view = self.score(model, answers.averaged), self.score(model, answers.single_view).summary()
        return {
            **scores.summary(),
            **scores.details(),
            "single_view": {figure: single_view[figure] for figure in ("accuracy", "macro_f1")},
            "changes": answers.changed and answers.changed.scores,
        }

    def sureness(self, answers: Answers) -> dict[str, Any]:
        """How sure the model is, and how rightly, for evaluation.json: on the test split and under changes."""
        changed = answers.changed
        return {
            "test": sureness(answers.verdicts, self._photos.labels).summary(),
            "changed": changed and sureness(changed.verdicts, changed.truth).summary(),
        }

    def _under_changes(self, model: Model, predict: Engine, unchanged: Floats) -> ChangedAnswers:
        """Those on the sample; `unchanged` are the probabilities (n, labels) of all photographs in one view."""
        truth, labels = self._photos.labels[self._sample], len(model.labels)
        outputs = predict_changed(predict, model.image_size, self._photos, self._sample)
        scores = {name: self._score(model, output[:, :labels], truth) for name, output in outputs.items()}
        every = np.concatenate(list(outputs.values()))
        return ChangedAnswers(
            scores=summary(scores, self._score(model, unchanged[self._sample], truth)),
            probabilities=every[:, :labels],
            verdicts=verdicts(every[None], labels, thresholds_in(model.facts)),
            truth=np.tile(truth, len(outputs)),
        )

    def _score(self, model: Model, probabilities: Floats, truth: Labels) -> Scores:
        number_of = {label_key(label): number for number, label in enumerate(self._labels)}
        number_of_output = np.array([number_of.get(label_key(label), UNKNOWN) for label in model.labels])
        return score(self._labels, truth, number_of_output[probabilities.argmax(axis=1)])
