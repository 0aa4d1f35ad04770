"""Measures how a model holds on harmlessly changed test photographs, as it is used: averaged over its views.

python -m benchmarks.bench_changes --run FOLDER --out docs/bench-changes.md
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from trainer import changes, pack
from trainer.answering.averages import average_probabilities, predict_views
from trainer.archive import WHOLE, Model, read_model
from trainer.changes import JPEG, WEBP, Light
from trainer.evaluation.named_changes import CHANGES, Change, seen, when_small
from trainer.inference.engines import fastest_engine
from trainer.photos import Photos
from trainer.types import Engine, Pixels

BATCH = 32
WHITE = (255.0, 255.0, 255.0)
HEAD = """\
# Harmless changes, measured
`make bench-changes RUN=folder` writes this page from a run's folder in the bucket. [changes.md](changes.md) says why.

{images:,} test photographs of {labels} labels, the model `{members}` at {size} pixels. *As used* is averaged over the
model's {views} views, *one view* is how evaluate scores changes. The first part has evaluate's own changes; no choice
was made by the second.

| change | as used | one view |
|---|---|---|
"""


def _shifted(image: Pixels) -> Pixels:
    side = image.shape[0]
    return np.asarray(np.roll(image, (side // 10, side // 12), (0, 1)), np.uint8)


OTHERS: Mapping[str, Change] = {
    "JPEG of quality 20": lambda image: when_small(image, lambda small: changes.encoded(small, JPEG, 20)),
    "JPEG of quality 60": lambda image: when_small(image, lambda small: changes.encoded(small, JPEG, 60)),
    "WebP of quality 50": lambda image: when_small(image, lambda small: changes.encoded(small, WEBP, 50)),
    "0.4 of the resolution": lambda image: when_small(
        image, lambda small: changes.scaled(small, 0.4, cv2.INTER_LINEAR)
    ),
    "blurred by 1.5 units": lambda image: changes.blurred(image, 1.5),
    "median of 5 pixels": lambda image: np.asarray(cv2.medianBlur(image, 5), np.uint8),
    "tone curve of 0.7": lambda image: changes.relit(image, Light(gamma=0.7)),
    "tone curve of 1.4": lambda image: changes.relit(image, Light(gamma=1.4)),
    "cooler": lambda image: changes.relit(image, Light(tint=(0.88, 1.0, 1.12))),
    "paler": lambda image: changes.relit(image, Light(saturation=0.6)),
    "higher contrast": lambda image: changes.relit(image, Light(contrast=1.35)),
    "turned by 45 degrees on white": lambda image: seen(image, degrees=45, fill=WHITE),
    "0.75 times as large on black": lambda image: seen(image, zoom=0.75),
    "1.35 times as large": lambda image: seen(image, zoom=1.35),
    "shifted by a tenth": _shifted,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="a run's folder, with pack/test and evaluation")
    parser.add_argument("--out", type=Path, required=True, help="the page to write")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        model = read_model(asked.run / "evaluation/model.tar.gz", WHOLE, Path(scratch, "model"))
    photos = pack.read_photos(asked.run / "pack/test")
    engine = fastest_engine(model.network, print, keep=False)
    head = HEAD.format(
        images=len(photos.names),
        labels=len(model.labels),
        members=", ".join(model.facts["members"]),
        size=model.image_size,
        views=model.views,
    )
    page = head + "".join(lines(model, photos, engine))
    asked.out.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def lines(model: Model, photos: Photos, engine: Engine) -> Iterator[str]:
    """The rows of the table; means and minima follow each part."""
    images = photos.load(range(len(photos.names)), model.image_size)
    yield row("none", *accuracies(model, photos, engine, images))
    for part in (CHANGES, OTHERS):
        found = []
        for name, change in part.items():
            found.append(accuracies(model, photos, engine, np.stack([change(image) for image in images])))
            yield row(name, *found[-1])
        of_part = np.array(found)
        yield row("**mean**", *of_part.mean(axis=0))
        yield row("**weakest**", *of_part.min(axis=0))


def accuracies(model: Model, photos: Photos, engine: Engine, images: Pixels) -> tuple[float, float]:
    """The accuracy averaged over the model's views, and that in one."""
    starts = range(0, len(images), BATCH)
    by_view = np.concatenate(
        [predict_views(engine, images[start : start + BATCH], model.views) for start in starts], axis=1
    )
    right = [
        (answers.argmax(axis=1) == photos.labels).mean() for answers in (average_probabilities(by_view), by_view[0])
    ]
    return float(right[0]), float(right[1])


def row(name: str, used: float, one_view: float) -> str:
    return f"| {name} | {used:.3f} | {one_view:.3f} |\n"


if __name__ == "__main__":
    main()
