"""What the best model says about a photograph."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..answers import Prediction
from ..words import percent

SHOWN = 5
UNSURE = 0.5


@dataclass(frozen=True)
class Guess:
    """A label and its probability, from 0 to 1, and in percent."""

    label: str
    probability: float
    percent: str


@dataclass(frozen=True)
class Said:
    """The answer on one photograph: the likeliest labels, the likeliest first, and whether it is `unsure`."""

    label: str
    confidence: str
    unsure: bool
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def said(prediction: Prediction) -> Said:
    """A prediction as it is shown."""
    return Said(
        label=prediction.label,
        confidence=percent(prediction.confidence),
        unsure=prediction.confidence < UNSURE,
        guesses=guesses(prediction.probabilities),
        notes=prediction.notes,
    )


def guesses(probabilities: Mapping[str, float]) -> tuple[Guess, ...]:
    """The likeliest labels."""
    likeliest = sorted(probabilities.items(), key=lambda item: -item[1])[:SHOWN]
    return tuple(Guess(label, probability, percent(probability)) for label, probability in likeliest)
