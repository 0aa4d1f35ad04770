"""What kind of photographs a model learnt from, as its network sees them, and whether others differ from them.

Photographs are compared as a set: the mean of each measure differs far less by chance than a single photograph's does.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np

from trainer.changes import LUMINANCE
from trainer.types import Floats, Pixels

ALLOWED, ALLOWED_BY_CHANCE = 0.5, 2.0
"""A mean may be so many standard deviations from the learnt one, the second divided by the root of the number."""


class Measure(NamedTuple):
    """A property of an image (size, size, 3), 0 to 255, and the words for less and for more of it."""

    of: Callable[[Floats], float]
    less: str
    more: str


def _sharpness(image: Floats) -> float:
    grey = image @ LUMINANCE
    return math.log((float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()) + 0.1) / (float(grey.std()) + 1))


def _brightness(image: Floats) -> float:
    return float(image.mean())


def _contrast(image: Floats) -> float:
    return math.log(float((image @ LUMINANCE).std()) + 1)


def _saturation(image: Floats) -> float:
    return float((image.max(axis=2) - image.min(axis=2)).mean())


def _warmth(image: Floats) -> float:
    red, _, blue = image.reshape(-1, 3).mean(axis=0) + 1
    return math.log(red / blue)


MEASURES: Mapping[str, Measure] = {
    "sharpness": Measure(_sharpness, "less sharp", "sharper or noisier"),
    "brightness": Measure(_brightness, "darker", "brighter"),
    "contrast": Measure(_contrast, "lower in contrast", "higher in contrast"),
    "saturation": Measure(_saturation, "paler", "more colourful"),
    "warmth": Measure(_warmth, "cooler", "warmer"),
}


def describe(images: Pixels) -> dict[str, list[float]]:
    """The mean and the standard deviation of each measure of images (n, size, size, 3), for model.json."""
    measured = {name: [measure.of(_floats(image)) for image in images] for name, measure in MEASURES.items()}
    return {name: [round(float(np.mean(of)), 4), round(float(np.std(of)), 4)] for name, of in measured.items()}


class PhotoComparison:
    """Compares photographs with those that a model learnt from; `facts` are its model.json, which may hold anything."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._learnt = _learnt(facts.get("photographs"))
        self._sums = dict.fromkeys(self._learnt, 0.0)
        self._images = 0

    def add(self, images: Pixels) -> None:
        """Counts images (n, size, size, 3) of the model's own size."""
        self._images += len(images)
        for name in self._learnt:
            self._sums[name] += sum(MEASURES[name].of(_floats(image)) for image in images)

    def note(self) -> str:
        """A sentence on how the photographs differ; empty if they don't, or if the model does not say."""
        words = [word for name in self._learnt if (word := self._difference(name))]
        if not words:
            return ""
        these = "This photograph is" if self._images == 1 else f"On average these {self._images:,} photographs are"
        return (
            f"{these} {', '.join(words)} than those that the model learnt from: its answers may be less accurate than "
            "its scores say."
        )

    def _difference(self, name: str) -> str:
        if not self._images:
            return ""
        mean, deviation = self._learnt[name]
        away = (self._sums[name] / self._images - mean) / deviation
        if abs(away) <= ALLOWED + ALLOWED_BY_CHANCE / math.sqrt(self._images):
            return ""
        return MEASURES[name].less if away < 0 else MEASURES[name].more


def _learnt(described: Any) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each measure that the model describes and that varied among its photographs."""
    pairs = described.items() if isinstance(described, dict) else ()
    return {
        name: (float(pair[0]), float(pair[1]))
        for name, pair in pairs
        if name in MEASURES and _is_pair(pair) and pair[1] > 0
    }


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(number, int | float) and math.isfinite(number) for number in value)
    )


def _floats(image: Pixels) -> Floats:
    return image.astype(np.float32)
