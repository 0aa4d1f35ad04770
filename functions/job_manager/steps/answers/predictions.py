"""What the API answers about predictions: of test images, of two models, and of new images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PredictedImage:
    """An image of a run's test split, and what its model takes it for. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class PredictionList:
    """A run's predictions for its test images, or for those of a label: mistakes first, the most confident before.

    `images` is how many there are; `next` is the cursor of further ones, if there are any.
    """

    run_id: str
    images: int
    predictions: tuple[PredictedImage, ...]
    next: str | None


@dataclass(frozen=True)
class Compared:
    """One of two runs that are compared: its scores on the images that both have in their test splits.

    `test_images` is how many its own test split has. `confusion[i][j]` counts images of label i predicted as label j;
    it is empty for more than 100 labels.
    """

    run_id: str
    test_images: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class DifferentlyPredicted:
    """An image that only one of two models predicts right. `url` shows it for a quarter of an hour."""

    file: str
    url: str
    label: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs' models on the same images: those that are in both test splits, unchanged.

    `difference` is the second's accuracy less the first's, and `p_value` is how often two equally good models differ at
    least as much (McNemar's test, exact). `differing` are up to 48 of the images that only one predicts right.
    """

    images: int
    labels: tuple[str, ...]
    first: Compared
    second: Compared
    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
    difference: float
    difference_interval: tuple[float, float]
    p_value: float
    differing: tuple[DifferentlyPredicted, ...]


@dataclass(frozen=True)
class Prediction:
    """An image's most probable label, its probability as `confidence`, and the probabilities of all labels.

    If the model is not `sure`, the `reason` is its confidence, or that the image is unlike those that it learnt from;
    the probabilities of such an image mean little, and are drawn towards equal ones. Older models leave `sure` null.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    sure: bool | None
    reason: Literal["confidence", "unlike"] | None


@dataclass(frozen=True)
class Predictions:
    """The best model's prediction for each image, in the order of the request."""

    predictions: tuple[Prediction, ...]
