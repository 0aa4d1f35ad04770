"""Scores under harmless changes: the changes themselves, and what is told of a model that some of them mislead."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.trainer.packs import write_photos
from trainer.decoding.pool import DecoderPool
from trainer.evaluation.metrics import Scores, score
from trainer.evaluation.named_changes import CHANGES
from trainer.evaluation.under_changes import predict_changed, summary
from trainer.pack import evenly_spaced, read_photos
from trainer.photos import Photos
from trainer.types import Floats, Labels, Pixels

SIDE = 48
LABELS = ["dark", "bright"]
LIMIT = 150


def smooth(side: int, seed: int = 0) -> Pixels:
    """An image without fine detail, the same at any size."""
    coarse = np.random.default_rng(seed).integers(30, 226, (10, 10, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_always_the_same_and_keeps_the_images_size(name: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    kept = image.copy()
    changed = CHANGES[name](image)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert difference(changed, image) > 1
    assert (CHANGES[name](image) == changed).all()
    assert (image == kept).all()


@pytest.mark.parametrize("name", CHANGES)
def test_a_large_photograph_is_changed_as_much_as_a_small_one(name: str) -> None:
    small, large = CHANGES[name](smooth(150)), CHANGES[name](smooth(600))
    assert difference(np.asarray(cv2.resize(large, (150, 150), interpolation=cv2.INTER_AREA), np.uint8), small) < 6


def test_a_photograph_saved_in_blocks_is_smooth_again_without_them() -> None:
    image = smooth(150)
    blocky = CHANGES["JPEG of quality 30"](image)
    assert difference(CHANGES["no JPEG blocks"](blocky), image) < difference(blocky, image)


@pytest.fixture
def photos(tmp_path: Path, decoders: DecoderPool) -> Photos:
    """Six dark and six bright grey photographs, on either side of `by_brightness`'s limit."""
    files = []
    for number in range(12):
        label, level = LABELS[number // 6], (120 if number < 6 else 170)
        files.append(f"{label}/{number:02}.png")
        (tmp_path / label).mkdir(exist_ok=True)
        Image.fromarray(np.full((SIDE, SIDE, 3), level, np.uint8)).save(tmp_path / files[-1])
    return read_photos(write_photos(tmp_path / "split", tmp_path, files, LABELS, decoders))


def by_brightness(images: Pixels) -> Floats:
    """Probabilities from a model that takes whatever is brighter than LIMIT for bright."""
    bright = (images.mean(axis=(1, 2, 3)) > LIMIT).astype(np.float32)
    return np.stack([1 - bright, bright], axis=1)


def scored(probabilities: Floats, truth: Labels) -> Scores:
    return score(LABELS, truth, probabilities.argmax(axis=1))


def test_the_scores_name_the_change_that_misleads_the_model(photos: Photos) -> None:
    rows = evenly_spaced(12, 8)
    truth = photos.labels[rows]
    answers = predict_changed(by_brightness, SIDE, photos, rows)
    unchanged = scored(by_brightness(photos.load(rows, SIDE)), truth)

    found = summary({name: scored(answer, truth) for name, answer in answers.items()}, unchanged)

    assert (found["images"], found["unchanged"]) == (8, {"accuracy": 1.0, "macro_f1": 1.0})
    assert list(found["by_change"]) == list(CHANGES)
    assert found["by_change"]["noise"] == {"accuracy": 1.0, "macro_f1": 1.0}
    assert found["by_change"]["darker"] == {"accuracy": 0.5, "macro_f1": 0.3333}
    assert found["weakest"] == "darker"
    for figure in ("accuracy", "macro_f1"):
        mean = np.mean([of_change[figure] for of_change in found["by_change"].values()])
        assert found[figure] == pytest.approx(mean, abs=1e-4)
