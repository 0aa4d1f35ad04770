"""One picture under two labels teaches neither, even where its pixels differ slightly."""

import hashlib
import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.trainer.test_near_duplicates import flipped, random_hashes
from trainer.decoding.perceptual_hash import perceptual_hash
from trainer.decoding.thumbnail import thumbnail_bytes
from trainer.preparation.contradictions import contradictions
from trainer.preparation.dataset import CheckedImage, Dataset, resolve

SIDE = 150
Change = Callable[[Image.Image], Image.Image]


@cache
def scene(seed: int, side: int = SIDE) -> Image.Image:
    """A smooth image in colour with fine and coarse parts, like a photograph."""
    rng = np.random.default_rng(seed)
    image = np.zeros((side, side, 3))
    for cells, share in ((4, 0.5), (12, 0.35), (40, 0.15)):
        coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        image += share * np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: int) -> Image.Image:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return Image.open(content).convert("RGB")


def checked(file: str, image: Image.Image) -> CheckedImage:
    digest = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
    return CheckedImage(file, digest, perceptual_hash(image), thumbnail_bytes(image))


def resolved(**images: Image.Image) -> Dataset:
    """The dataset of images, each named by its label, two underscores and its name."""
    return resolve([checked(name.replace("__", "/"), image) for name, image in images.items()], {}, 1)


CHANGES: dict[str, Change] = {
    "JPEG, quality 95": lambda image: saved(image, "JPEG", quality=95),
    "JPEG, quality 30": lambda image: saved(image, "JPEG", quality=30),
    "WebP": lambda image: saved(image, "WEBP", quality=60),
    "GIF": lambda image: saved(image.quantize(256), "GIF"),
    "half as large": lambda image: image.resize((75, 75)),
    "twice as large": lambda image: image.resize((300, 300)),
    "half and back": lambda image: image.resize((75, 75)).resize((SIDE, SIDE)),
    "of another shape": lambda image: image.resize((150, 100)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "without colours": lambda image: image.convert("L").convert("RGB"),
    "sharpened": lambda image: ImageEnhance.Sharpness(image).enhance(2),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned and mirrored": lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    "turned, small and JPEG": lambda image: saved(image.rotate(180).resize((90, 90)), "JPEG", quality=60),
    "cropped by a pixel": lambda image: image.crop((1, 1, SIDE - 1, SIDE - 1)),
    "cropped by 2%": lambda image: image.crop((3, 0, SIDE, SIDE - 3)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_a_changed_copy_under_another_label_is_refused_under_both(seed: int, change: Change) -> None:
    others = {f"{label}__{seed}": scene(seed) for label, seed in (("a", 100), ("b", 101))}
    dataset = resolved(a__photo=scene(seed), b__copy=change(scene(seed)), **others)
    assert dataset.refused == {
        "a/photo": "nearly the same image under another label: b/copy",
        "b/copy": "nearly the same image under another label: a/photo",
    }
    assert [image.file for image in dataset.used] == ["a/100", "b/101"]


def test_all_copies_of_a_picture_under_two_labels_are_refused() -> None:
    photo = scene(1)
    copies = [saved(photo, "JPEG", quality=quality) for quality in (90, 70, 50, 30)]
    dataset = resolved(a__0=photo, a__1=copies[0], b__2=copies[1], a__3=copies[2], c__4=copies[3], a__same=photo)
    assert dataset.refused.keys() == {"a/0", "a/1", "b/2", "a/3", "c/4"}
    assert dataset.duplicates == {"a/same": "the same image as a/0"}
    assert dataset.used == []
    for file, reason in dataset.refused.items():
        assert reason.rpartition(": ")[2].split("/")[0] != file.split("/")[0]


def test_a_copy_of_equal_pictures_under_two_labels_is_refused_too() -> None:
    dataset = resolved(a__0=scene(1), b__0=scene(1), b__1=saved(scene(1), "JPEG", quality=70))
    assert dataset.refused.keys() == {"a/0", "b/0", "b/1"}
    assert dataset.refused["a/0"] == "the same image under another label: b/0"


def test_copies_under_one_label_contradict_nothing() -> None:
    dataset = resolved(a__0=scene(1), a__1=saved(scene(1), "JPEG", quality=70), b__2=scene(2))
    assert dataset.refused == {}
    assert dataset.contradictory == []


def test_a_warning_comes_first_and_says_what_to_do() -> None:
    dataset = resolved(a__0=scene(1), b__1=saved(scene(1), "JPEG", quality=70), b__2=scene(2))
    assert dataset.warnings()[0] == (
        "2 images are left out because their picture is also under another label, such as a/0: keep each picture under "
        "its right label alone."
    )


# Different pictures that look alike.


def drawing(colour: str, background: Image.Image | None = None, place: tuple[int, int] = (60, 60)) -> Image.Image:
    image = background.copy() if background else Image.new("RGB", (SIDE, SIDE), "white")
    spot = Image.new("L", (45, 45))
    spot.paste(255, (5, 5, 40, 40))
    image.paste(Image.new("RGB", spot.size, colour), place, spot)
    return image


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scene(1), scene(2)),
        (drawing("red"), drawing("green")),
        (drawing("red"), drawing("blue")),
        (drawing("black", scene(3)), drawing("black", scene(3), (20, 90))),
        (drawing("green", scene(3)), scene(3)),
        (Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")),
        (Image.new("RGB", (9, 9), "white"), Image.new("RGB", (9, 9), "black")),
    ],
)
def test_different_pictures_under_two_labels_are_used(one: Image.Image, other: Image.Image) -> None:
    assert resolved(a__0=one, b__1=other).refused == {}


def test_images_without_thumbnails_are_not_compared() -> None:
    assert contradictions([bytes(32)] * 2, [b""] * 2, ["a", "b"]) == {}
    assert contradictions([], [], []) == {}


def test_a_thousand_nearly_equal_hashes_are_all_refused() -> None:
    (image_hash,) = random_hashes(1, 9)
    hashes = [flipped(image_hash, 3, seed) for seed in range(1000)]
    found = contradictions(hashes, [thumbnail_bytes(scene(1))] * 1000, ["a", "b"] * 500)
    assert found.keys() == set(range(1000))
    assert all(row % 2 != other % 2 for row, other in found.items())
