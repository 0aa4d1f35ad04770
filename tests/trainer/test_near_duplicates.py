"""Near-duplicates, such as images of the same plant at nearly the same time, stay in one split."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tests.trainer.painting import paint
from trainer.decoding.perceptual_hash import (
    HASH_BYTES,
    SIDE,
    VIEWS,
    bits_in_view,
    bits_of,
    distances,
    packed,
    perceptual_hash,
    words_of,
)
from trainer.preparation.dataset import CheckedImage, Dataset, resolve, split_of
from trainer.preparation.near_duplicates import NEAR_DUPLICATES, duplicate_groups, outranked
from trainer.views import apply_view

GREEN = (40, 160, 60)


def scene(seed: int, side: int = 150) -> Image.Image:
    """A smooth image with light and dark parts, like a photograph."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


LOW = [row * SIDE + column for row in range(11) for column in range(11 - row) if (row, column) not in {(0, 0), (5, 5)}]


def flipped(image_hash: bytes, bits: int, seed: int, among: Sequence[int] = range(SIDE * SIDE)) -> bytes:
    """The image_hash with `bits` of its bits changed."""
    frequencies = bits_of(words_of([image_hash])).copy().reshape(1, -1)
    places = np.random.default_rng(seed).choice(among, bits, replace=False)
    frequencies[0, places] ^= 1
    return packed(frequencies).tobytes()


def random_hashes(number: int, seed: int) -> list[bytes]:
    return [row.tobytes() for row in np.random.default_rng(seed).integers(0, 256, (number, HASH_BYTES), np.uint8)]


def grouped(hashes: list[bytes]) -> set[frozenset[int]]:
    """The rows of each group."""
    members = defaultdict(set)
    for row, group in enumerate(duplicate_groups(hashes)):
        members[int(group)].add(row)
    return {frozenset(rows) for rows in members.values()}


# Perceptual hashes of an image and its copies.


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("view", range(VIEWS))
def test_a_turned_or_mirrored_copy_is_found(view: int, seed: int) -> None:
    pixels = apply_view(np.asarray(scene(seed))[None], view)[0]
    assert (
        distances(perceptual_hash(scene(seed)), [perceptual_hash(Image.fromarray(np.ascontiguousarray(pixels)))])[0]
        <= NEAR_DUPLICATES.bits
    )
    assert (
        len(grouped([perceptual_hash(scene(seed)), perceptual_hash(Image.fromarray(np.ascontiguousarray(pixels)))]))
        == 1
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_copy_that_was_saved_again_shrunk_or_brightened_is_found(seed: int, tmp_path: Path) -> None:
    original = scene(seed)
    original.save(tmp_path / "copy.jpg", quality=50)
    with Image.open(tmp_path / "copy.jpg") as saved_again:
        copies = [saved_again.copy(), original.resize((97, 97)), ImageEnhance.Brightness(original).enhance(1.2)]
    assert len(grouped([perceptual_hash(copy) for copy in (original, *copies)])) == 1


def test_different_images_are_not_grouped() -> None:
    hashes = [perceptual_hash(scene(seed)) for seed in range(150)] + [
        perceptual_hash(paint(GREEN, seed)) for seed in range(150)
    ]
    assert len(grouped(hashes)) == 300


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (1, 1)), Image.new("RGB", (1, 5000)), Image.new("RGB", (3, 2), "red")]
)
def test_any_image_has_a_perceptual_hash(image: Image.Image) -> None:
    assert len(perceptual_hash(image)) == HASH_BYTES


# Groups of near-duplicates.


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(0, 7), view=st.integers(0, VIEWS - 1))
@settings(max_examples=100)
def test_seven_changed_bits_are_always_found_in_every_view(seed: int, bits: int, view: int) -> None:
    first, *others = random_hashes(20, seed)
    copy = packed(bits_in_view(bits_of(words_of([flipped(first, bits, seed, LOW)])), view)).tobytes()
    hashes = [first, *others, copy]
    assert frozenset({0, 20}) in grouped(hashes)
    assert len(grouped(hashes)) == 20


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(110, 150))
@settings(max_examples=50)
def test_hashes_that_differ_in_nearly_half_their_bits_are_never_grouped(seed: int, bits: int) -> None:
    (image_hash,) = random_hashes(1, seed)
    other = flipped(image_hash, bits, seed)
    assert distances(image_hash, [other])[0] > NEAR_DUPLICATES.bits
    assert len(grouped([image_hash, other])) == 2


def test_a_near_duplicate_of_a_near_duplicate_is_in_the_same_group() -> None:
    (first,) = random_hashes(1, 5)
    chain = [first]
    for step in range(30):
        chain.append(flipped(chain[-1], 7, step))
    assert distances(chain[0], [chain[-1]])[0] > NEAR_DUPLICATES.bits
    assert grouped(chain) == {frozenset(range(31))}


def test_thousands_of_nearly_equal_images_are_one_group() -> None:
    (image_hash,) = random_hashes(1, 6)
    assert len(grouped([flipped(image_hash, 3, seed) for seed in range(5000)])) == 1


def test_an_empty_list_has_no_groups() -> None:
    assert duplicate_groups([]).shape == (0,)
    assert outranked([], []) == {}


def test_the_nearest_of_the_kept_images_is_named() -> None:
    (image_hash,) = random_hashes(1, 7)
    nearer, farther = flipped(image_hash, 2, 1), flipped(image_hash, 6, 2)
    assert outranked([farther, image_hash, nearer], [0, 2, 0]) == {1: 2}


# Splits, and the images that are left out.


def digest_on(split: str, start: int) -> str:
    """A digest of an image in this split."""
    digests = (hashlib.sha256(f"{start} {number}".encode()).hexdigest() for number in range(10_000))
    return next(digest for digest in digests if split_of(digest) == split)


def alike(*splits: str, label: str = "a") -> list[CheckedImage]:
    (image_hash,) = random_hashes(1, 8)
    return [
        CheckedImage(f"{label}/{number}.png", digest_on(split, number), flipped(image_hash, 4, number))
        for number, split in enumerate(splits)
    ]


def test_near_duplicates_stay_in_the_test_split_alone() -> None:
    dataset = resolve(alike("train", "validation", "test", "test"), {}, 1)
    assert [image.file for image in dataset.used] == ["a/2.png", "a/3.png"]
    assert dataset.near_duplicates.keys() == {"a/0.png", "a/1.png"}
    for reason in dataset.near_duplicates.values():
        assert reason in {f"nearly the same as a/{kept}.png of the test split" for kept in (2, 3)}


def test_the_validation_split_keeps_its_images_before_the_train_split() -> None:
    dataset = resolve(alike("train", "validation"), {}, 1)
    assert dataset.near_duplicates == {"a/0.png": "nearly the same as a/1.png of the validation split"}


def test_near_duplicates_of_one_split_are_all_used() -> None:
    dataset = resolve(alike("train", "train", "train"), {}, 1)
    assert len(dataset.used) == 3
    assert not dataset.near_duplicates


def test_images_left_out_do_not_count_for_their_label() -> None:
    others = alike("test", label="b")
    dataset = resolve(alike("train", "test") + others, {}, 2)
    assert dataset.refused["a/1.png"].startswith("too few images of its label: 1 usable")


plants = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.sampled_from("ab")), unique=True, max_size=40)


def photographed(plant: int, time: int, label: str) -> CheckedImage:
    """One of ten photographs of a plant."""
    name = f"{label}/{plant}-{time}.png"
    (image_hash,) = random_hashes(1, plant)
    return CheckedImage(name, hashlib.sha256(name.encode()).hexdigest(), flipped(image_hash, 3, plant * 100 + time))


def sides(dataset: Dataset) -> dict[str, str]:
    return {image.file: split_of(image.digest) for image in dataset.used}


@given(taken=plants, seed=st.integers())
@settings(max_examples=60)
def test_no_plant_is_in_two_splits_whatever_the_order(taken: list[tuple[int, int, str]], seed: int) -> None:
    images = [photographed(*photograph) for photograph in taken]
    dataset = resolve(images, {}, 1)
    seen = defaultdict(set)
    for file, side in sides(dataset).items():
        seen[file.split("/")[1].split("-")[0]].add(side)
    assert all(len(of_plant) == 1 for of_plant in seen.values())
    assert seen.keys() == {str(plant) for plant, _, _ in taken}
    assert len(dataset.used) + len(dataset.near_duplicates) == len(images)
    assert resolve(random.Random(seed).sample(images, len(images)), {}, 1) == dataset


@given(before=plants, added=plants)
@settings(max_examples=60)
def test_added_photographs_move_no_image_to_another_split(
    before: list[tuple[int, int, str]], added: list[tuple[int, int, str]]
) -> None:
    small = resolve([photographed(*photograph) for photograph in before], {}, 1)
    large = resolve([photographed(*photograph) for photograph in {*before, *added}], {}, 1)
    was, now = sides(small), sides(large)
    assert all(now[file] == side for file, side in was.items() if file in now)
    assert small.near_duplicates.keys() <= large.near_duplicates.keys()
    assert {file for file, side in was.items() if side == "test"} <= now.keys()
