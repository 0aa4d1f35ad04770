"""Which model to use, the best trial, its rival or both, and with how many views: the validation split decides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.answering.averages import average_probabilities
from trainer.archive import Model
from trainer.evaluation.calibration import apply_temperature, fit_temperature, log_loss
from trainer.evaluation.ensemble import resize_input
from trainer.inference.averaging import predict_photos
from trainer.photos import Photos
from trainer.types import Floats, Labels, Say

TITLES = ("The best trial", "Its rival")
AVERAGED = "Both, averaged"
DIGITS = 6
"""Of log-losses that are compared: views can differ by less, only because sums are rounded."""


@dataclass(frozen=True)
class Candidate:
    """One or two whole models with a number of views, and their scores on the validation split."""

    title: str
    members: tuple[Model, ...]
    views: int
    temperature: float
    accuracy: float
    log_loss: float
    """In nats, after calibration."""
    probabilities: Floats
    """(n, labels) for all validation photographs, averaged over members and views, before calibration."""

    @property
    def names(self) -> list[str]:
        """Kind and backbone of each member, such as `head/efficientnet-lite0`."""
        return [f"{member.facts.get('kind', 'head')}/{member.facts['backbone']}" for member in self.members]


def candidates(models: Sequence[Model], validation: Photos, views: int, say: Say) -> list[Candidate]:
    """The best trial, its rival if there is one, and both averaged: each with one view and with `views`."""
    truth, counts = validation.labels, sorted({1, views})
    alone = [predict_photos(model, validation, views, say) for model in models]
    found = [
        _candidate(title, (model,), [answers[:count]], truth)
        for title, model, answers in zip(TITLES, models, alone, strict=False)
        for count in counts
    ]
    if len(models) > 1:
        size = max(model.image_size for model in models)
        together = [
            answers if model.image_size == size else predict_photos(resize_input(model, size), validation, views, say)
            for model, answers in zip(models, alone, strict=True)
        ]
        found += [_candidate(AVERAGED, tuple(models), [of[:count] for of in together], truth) for count in counts]
    return found


def choose(found: Sequence[Candidate]) -> Candidate:
    """The candidate with the lowest log-loss; of equal ones the first, which is the simplest.

    The log-loss counts the confidence on every photograph. The accuracies on a few hundred differ by chance alone.
    """
    return min(found, key=lambda candidate: round(candidate.log_loss, DIGITS))


def _candidate(title: str, members: tuple[Model, ...], answers: Sequence[Floats], truth: Labels) -> Candidate:
    """Scores `answers`, the probabilities (views, n, labels) of each member."""
    probabilities = average_probabilities(np.concatenate(answers))
    temperature = fit_temperature(probabilities, truth)
    accuracy = float((probabilities.argmax(axis=1) == truth).mean())
    loss = log_loss(apply_temperature(probabilities, temperature), truth)
    return Candidate(
        title=title,
        members=members,
        views=len(answers[0]),
        temperature=temperature,
        accuracy=accuracy,
        log_loss=loss,
        probabilities=probabilities,
    )
