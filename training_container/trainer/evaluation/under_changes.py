"""How a model holds: its scores on photographs changed harmlessly, beside those on the same ones unchanged."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from trainer.decoding.images import DECODERS
from trainer.evaluation.metrics import Scores
from trainer.evaluation.named_changes import CHANGES, Change
from trainer.photos import Photos
from trainer.types import Engine, Floats, Pixels

BATCH = 32


def predict_changed(predict: Engine, size: int, photos: Photos, rows: Sequence[int]) -> dict[str, Floats]:
    """What `predict` gives, (k, d), for the photographs of k rows under each change, as images of `size`."""
    answers: dict[str, list[Floats]] = {name: [] for name in CHANGES}
    with ThreadPoolExecutor(DECODERS) as pool:
        for start in range(0, len(rows), BATCH):
            images = photos.load(rows[start : start + BATCH], size)
            for name, change in CHANGES.items():
                answers[name].append(predict(_changed(images, change, pool)))
    return {name: np.concatenate(parts) for name, parts in answers.items()}


def summary(scores: Mapping[str, Scores], unchanged: Scores) -> dict[str, Any]:
    """The scores under each change, their means, and those of the same photographs unchanged, for evaluation.json."""
    by_change = {name: _figures(of_change) for name, of_change in scores.items()}
    means = {figure: float(np.mean([of[figure] for of in by_change.values()])) for figure in ("accuracy", "macro_f1")}
    return {
        "images": unchanged.images,
        **{figure: round(mean, 4) for figure, mean in means.items()},
        "unchanged": _figures(unchanged),
        "weakest": min(by_change, key=lambda name: by_change[name]["accuracy"]),
        "by_change": by_change,
    }


def _changed(images: Pixels, change: Change, pool: ThreadPoolExecutor) -> Pixels:
    return np.stack(list(pool.map(change, images)))


def _figures(scores: Scores) -> dict[str, float]:
    return {"accuracy": round(scores.accuracy, 4), "macro_f1": round(scores.macro_f1, 4)}
