"""How large the images that are used are, in pixels of the longer side."""

from collections import defaultdict

import numpy as np

from trainer.preparation.dataset import Dataset
from trainer.preparation.survey import Survey

MAX_RANGES = 12
MAX_LABELS = 200


def size_counts(dataset: Dataset, found: Survey) -> list[dict[str, int]]:
    """How many images have a longer side within each of up to twelve ranges, which grow by a constant factor."""
    sides = np.array([side for of_label in _sides(dataset, found).values() for side in of_label], np.int64)
    if not len(sides):
        return []
    ends = np.geomspace(sides.min(), sides.max() + 1, MAX_RANGES + 1)
    edges = np.unique(np.append(np.ceil(ends[:-1] - 1e-6), sides.max() + 1).astype(np.int64))
    counts, _ = np.histogram(sides, edges)
    return [
        {"least": int(least), "most": int(after - 1), "images": int(count)}
        for least, after, count in zip(edges, edges[1:], counts, strict=False)
    ]


def label_sizes(dataset: Dataset, found: Survey) -> dict[str, list[int]]:
    """The smallest, the median and the largest longer side of each label's images, for up to 200 labels."""
    sides = _sides(dataset, found)
    return {
        label: [int(np.quantile(sides[label], share, method="nearest")) for share in (0, 0.5, 1)]
        for label in dataset.labels[:MAX_LABELS]
    }


def _sides(dataset: Dataset, found: Survey) -> dict[str, list[int]]:
    side_of = {image.file: side for image, side in zip(found.checked, found.longer_sides, strict=True)}
    sides: dict[str, list[int]] = defaultdict(list)
    for image in dataset.used:
        sides[image.label].append(side_of[image.file])
    return sides
