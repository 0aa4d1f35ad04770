"""Two models scored on the same images: only those on which one is right and the other wrong tell them apart."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .prediction import Prediction

Z_95 = 1.959963984540054

Interval = tuple[float, float]


@dataclass(frozen=True)
class Paired:
    """How many images both models predict right, only the first, only the second, and neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def images(self) -> int:
        """How many images both predicted."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The second's accuracy less the first's; at least one image is needed."""
        return (self.only_second - self.only_first) / self.images

    @property
    def interval(self) -> Interval:
        """The difference's 95% confidence interval (Agresti and Min 2005, Statistics in Medicine 24)."""
        first, second, images = self.only_first + 0.5, self.only_second + 0.5, self.images + 2
        difference = (second - first) / images
        half = Z_95 * math.sqrt(max(0.0, first + second - (second - first) ** 2 / images)) / images
        return max(-1.0, difference - half), min(1.0, difference + half)

    @property
    def p_value(self) -> float:
        """How often two equally good models differ at least as much: McNemar's test, exact and two-sided."""
        differing, fewer = self.only_first + self.only_second, min(self.only_first, self.only_second)
        ways, total = 1, 0
        for chosen in range(fewer + 1):
            total += ways
            ways = ways * (differing - chosen) // (chosen + 1)
        return float(min(1.0, 2 * total / 2**differing))


def paired(pairs: Iterable[tuple[Prediction, Prediction]]) -> Paired:
    """Counts the predictions of two models for the same images."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for first, second in pairs:
        counts[first.right, second.right] += 1
    return Paired(*counts.values())


def wilson_interval(right: int, images: int) -> Interval:
    """The 95% confidence interval of an accuracy (Wilson 1927), for at least one image."""
    share, scale = right / images, 1 + Z_95**2 / images
    centre = (share + Z_95**2 / (2 * images)) / scale
    half = Z_95 / scale * math.sqrt(share * (1 - share) / images + Z_95**2 / (4 * images**2))
    return max(0.0, centre - half), min(1.0, centre + half)
