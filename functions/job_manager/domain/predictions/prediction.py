"""A prediction for one image of a run's test split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """What a run's model takes an image of its test split for; `content` is a checksum of the image."""

    file: str
    truth: str
    predicted: str
    confidence: float
    content: str = ""

    @property
    def right(self) -> bool:
        """Whether the image is predicted as its own label."""
        return self.predicted == self.truth


def by_interest(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Mistakes first, the most confident before the others; then what is right, the least confident first."""
    return sorted(predictions, key=lambda p: (p.right, p.confidence if p.right else -p.confidence, p.file))


def same_images(first: Iterable[Prediction], second: Iterable[Prediction]) -> list[tuple[Prediction, Prediction]]:
    """The predictions of two models for the same images, in the order of the first.

    An image is the same if its folder, its name and its content are.
    """
    known = {(prediction.file, prediction.content): prediction for prediction in second}
    pairs = ((one, known.get((one.file, one.content))) for one in first)
    return [(one, other) for one, other in pairs if other]


def confusion(predictions: Sequence[Prediction], labels: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """How many images of label i are predicted as label j, in row i; others are not counted."""
    place = {label: number for number, label in enumerate(labels)}
    counts = [[0] * len(labels) for _ in labels]
    for prediction in predictions:
        if prediction.predicted in place:
            counts[place[prediction.truth]][place[prediction.predicted]] += 1
    return tuple(map(tuple, counts))
