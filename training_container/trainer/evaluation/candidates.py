"""Which model, alone or averaged with its rival, and seen in how many turned views: settled on the validation split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.archive import Model
from trainer.evaluation.calibration import fit_temperature, log_loss, tempered
from trainer.evaluation.ensemble import at_size
from trainer.inference.averaging import averaged, of_photos
from trainer.photos import Photos
from trainer.types import Floats, Labels, Say

TITLES = ("The best trial", "Its rival")
AVERAGED = "Both, averaged"


@dataclass(frozen=True)
class Candidate:
    """A way to use whole models, with its scores on the validation split."""

    title: str
    members: tuple[Model, ...]
    views: int
    temperature: float
    accuracy: float
    log_loss: float
    """In nats, after calibration."""

    @property
    def names(self) -> list[str]:
        """Kind and backbone of each member."""
        return [f"{member.facts.get('kind', 'head')}/{member.facts['backbone']}" for member in self.members]


def candidates(models: Sequence[Model], validation: Photos, views: int, say: Say) -> list[Candidate]:
    """The best trial; where it has a rival, this, and both averaged: each with one view and with `views`."""
    truth, counts = validation.labels, sorted({1, views})
    alone = [of_photos(model, validation, views, say) for model in models]
    found = [
        _candidate(title, (model,), [answers[:count]], truth)
        for title, model, answers in zip(TITLES, models, alone, strict=False)
        for count in counts
    ]
    if len(models) > 1:
        size = max(model.image_size for model in models)
        together = [
            answers if model.image_size == size else of_photos(at_size(model, size), validation, views, say)
            for model, answers in zip(models, alone, strict=True)
        ]
        found += [_candidate(AVERAGED, tuple(models), [of[:count] for of in together], truth) for count in counts]
    return found


def choose(found: Sequence[Candidate]) -> Candidate:
    """The lowest log-loss; of equals the first, the simplest.

    It tells of every photograph how sure an answer was: of a few hundred, accuracies differ by chance alone.
    """
    return min(found, key=lambda candidate: candidate.log_loss)


def _candidate(title: str, members: tuple[Model, ...], answers: Sequence[Floats], truth: Labels) -> Candidate:
    """`answers` are each member's, (views, n, labels)."""
    probabilities = averaged(np.concatenate(answers))
    temperature = fit_temperature(probabilities, truth)
    accuracy = float((probabilities.argmax(axis=1) == truth).mean())
    loss = log_loss(tempered(probabilities, temperature), truth)
    return Candidate(title, members, len(answers[0]), temperature, accuracy, loss)
