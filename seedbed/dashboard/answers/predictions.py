"""What a model takes images for, in the API's answers."""

from msgspec import field

from .part import Answer


class Prediction(Answer, frozen=True):
    """The label that a model gives an image, its confidence, from 0 to 1, and the probability of each label.

    `sure` is None for a model that can't tell; `reason` is why it is not sure, "confidence" or "unlike".
    """

    label: str
    confidence: float
    probabilities: dict[str, float] = field(default_factory=dict)
    sure: bool | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


class PredictionList(Answer, frozen=True):
    """An answer for each image that was sent, in their order."""

    predictions: tuple[Prediction, ...]
