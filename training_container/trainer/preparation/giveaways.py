"""Labels that can be told by how their images were saved: a model learns that instead of what the images show."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

LEAST_IMAGES = 10
"""Of a label and of all others; a share of fewer says nothing."""
LEAST_DIFFERENCE = 0.5
"""Between the share of a label's images that were saved in some way and that of the others."""
LEAST_ERRORS = 4.0
"""So many standard errors must the difference be too."""
SENTENCES, NAMES_SHOWN = 3, 5
ADVICE = (
    "A model may learn how images were saved instead of what they show: save all in the same way, or add images of each"
    " label that were taken and saved like the others."
)


def giveaway_lines(images: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """A line on up to three ways of saving that tell labels apart, the plainest first; none if there are none.

    images: the label of each image that is used, and the ways in which it was saved, see saved_as.py.
    """
    told = _Ways(images).sentences()
    return [" ".join([*told[:SENTENCES], ADVICE])] if told else []


class _Ways:
    """How many images of each label there are, and how many of them were saved in each way."""

    def __init__(self, images: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._images: Counter[str] = Counter()
        self._of_label: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._of_all: Counter[str] = Counter()
        for label, ways in images:
            self._images[label] += 1
            self._of_label[label].update(ways)
            self._of_all.update(ways)
        others_of_largest = self._images.total() - max(self._images.values(), default=0)
        self._common = {way for way, count in self._of_all.items() if count >= LEAST_DIFFERENCE * others_of_largest}

    def sentences(self) -> list[str]:
        told: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
        for label in sorted(self._images):
            if found := max(self._differences(label), default=None):
                more, _, way = found
                told[way, more].append(label)
        shown = [
            self._sentence(*said, labels) for said, labels in told.items() if said[1] or (said[0], True) not in told
        ]
        return [sentence for *_, sentence in sorted(shown)]

    def _differences(self, label: str) -> Iterator[tuple[bool, float, str]]:
        """For each way by which the label is told: whether its images were saved so, by how much, and the way."""
        least = LEAST_DIFFERENCE * self._images[label]
        for way in self._common | {way for way, count in self._of_label[label].items() if count >= least}:
            share, others = self._shares(way, [label])
            if abs(share - others) >= max(LEAST_DIFFERENCE, LEAST_ERRORS * self._error(way, label)):
                yield share > others, abs(share - others), way

    def _error(self, way: str, label: str) -> float:
        """The standard error of the difference if the label had nothing to do with the way."""
        own, total = self._images[label], self._images.total()
        if min(own, total - own) < LEAST_IMAGES:
            return math.inf
        pooled = self._of_all[way] / total
        return math.sqrt(pooled * (1 - pooled) * (1 / own + 1 / (total - own)))

    def _shares(self, way: str, labels: Sequence[str]) -> tuple[float, float]:
        """The share of the labels' images that were saved in this way, and that of the others; 0 of none."""
        own, saved = sum(self._images[one] for one in labels), sum(self._of_label[one][way] for one in labels)
        others = self._images.total() - own
        return saved / own, (self._of_all[way] - saved) / others if others else 0.0

    def _sentence(self, way: str, more: bool, labels: list[str]) -> tuple[bool, float, str]:
        """The sentence, after what it is sorted by."""
        share, others = self._shares(way, labels)
        shown = ", ".join(labels[:NAMES_SHOWN])
        names = f"{shown} and {len(labels) - NAMES_SHOWN} more" if len(labels) > NAMES_SHOWN else shown
        told = f"{share:.0%} of the images of {names} are {way}, of the others {others:.0%}."
        return not more, -abs(share - others), told
