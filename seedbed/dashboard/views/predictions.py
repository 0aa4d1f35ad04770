"""What the best model says about a photograph."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..answers.predictions import Prediction
from ..words import percent

SHOWN = 5
UNSURE = 0.5
"""The confidence below which a model is not sure that can't tell when it is."""
UNLIKE = "Not sure: the photograph is unlike those that the model learnt from, so its probabilities mean little."
DOUBTFUL = "Not sure: at this confidence the model is wrong too often. Look at the photograph yourself."
UNLIKELY = "Not sure: none of its labels is likely. The photograph may show something else."


@dataclass(frozen=True)
class Guess:
    """A label and its probability, from 0 to 1, and in percent."""

    label: str
    probability: float
    percent: str


@dataclass(frozen=True)
class Said:
    """The answer on one photograph: the likeliest labels, the likeliest first, and why the model is not sure.

    `doubt` is empty if it is sure; `confidence` is empty for a photograph unlike those that it learnt from.
    """

    label: str
    confidence: str
    doubt: str
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def said(prediction: Prediction) -> Said:
    """A prediction as it is shown."""
    return Said(
        label=prediction.label,
        confidence="" if prediction.reason == "unlike" else percent(prediction.confidence),
        doubt=doubt(prediction),
        guesses=guesses(prediction.probabilities),
        notes=prediction.notes,
    )


def doubt(prediction: Prediction) -> str:
    """Why the model is not sure; empty if it is."""
    if prediction.sure is None:
        return UNLIKELY if prediction.confidence < UNSURE else ""
    if prediction.sure:
        return ""
    return UNLIKE if prediction.reason == "unlike" else DOUBTFUL


def guesses(probabilities: Mapping[str, float]) -> tuple[Guess, ...]:
    """The likeliest labels."""
    likeliest = sorted(probabilities.items(), key=lambda item: -item[1])[:SHOWN]
    return tuple(Guess(label, probability, percent(probability)) for label, probability in likeliest)
