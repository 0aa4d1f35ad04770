"""The parts of `make bench-scale`: its images, how it measures, and its verdict."""

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bench_scale import check_disk, space_for
from benchmarks.scale.images import changed_copies, make_images
from benchmarks.scale.page import FACTS, Measured, page, verdicts
from benchmarks.scale.stages import Stage, TwoHosts
from benchmarks.scale.verb import Usage, own_memory, run
from seedbed.seedlings import draw
from trainer.decoding.pool import DecoderPool
from trainer.files import list_files
from trainer.preparation.dataset import CheckedImage, resolve

DESCRIBED = {"load": 0.2, "photographs": 4027, "kind": "photographs", "views": 2, "size": 224, "sample": 5000}
LABELS = ("Maize", "Charlock")


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred copies of eight drawn seedlings."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("scale") / "images"
    for label in LABELS:
        (source / label).mkdir()
        for seed in range(4):
            draw(label, seed).save(source / label / f"{seed}.png")
    make_images(source, folder, 200)
    return folder


def test_the_images_are_as_many_as_asked_for_and_all_different(copies: Path) -> None:
    files = list_files(copies)

    assert len(files) == 200
    assert {file.split("/")[0] for file in files} == set(LABELS)
    assert len({hashlib.sha256((copies / file).read_bytes()).digest() for file in files}) == 200
    with Image.open(copies / files[0]) as image:
        assert (image.format, image.size) == ("JPEG", (150, 150))


def test_nearly_all_copies_are_used_though_they_are_of_few_photographs(copies: Path) -> None:
    files = list_files(copies)
    with DecoderPool() as decoders:
        found = decoders.inspections([copies / file for file in files], {})
        checked = [
            CheckedImage(file, image.digest, image.perceptual_hash, image.thumbnail)  # type: ignore[union-attr]
            for file, image in zip(files, found, strict=True)
        ]
    assert len(resolve(checked, {}, 1).used) >= 0.95 * len(files)


def test_a_copy_depends_on_its_number_alone() -> None:
    image = np.asarray(draw("Maize", 1))
    one, other, again = (next(changed_copies(image, [seed])) for seed in (7, 8, 7))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def sizes(processor_seconds: float, memory: int, written: int) -> Iterator[Measured]:
    """A stage at 1,000 images, and one that took and wrote so much at 10,000."""
    yield Measured(1000, 0.99, [Stage("prepare", Usage(9, 10, 500 << 20), 1_000_000)])
    yield Measured(10_000, 0.98, [Stage("prepare", Usage(90, processor_seconds, (500 << 20) + memory), written)])


@pytest.mark.parametrize(
    ("grown", "holds"),
    [
        ((100, 0, 10_000_000), True),
        ((114, 9000 * FACTS, 11_000_000), True),
        ((116, 0, 10_000_000), False),
        ((100, 9000 * FACTS + 9000, 10_000_000), False),
        ((100, 0, 12_000_000), False),
        ((50, -(100 << 20), 5_000_000), True),
    ],
)
def test_a_stage_grows_if_an_image_takes_more_in_a_larger_dataset(grown: tuple[int, int, int], holds: bool) -> None:
    (found,) = verdicts(*sizes(*grown))

    assert found.holds is holds
    text = "".join(page(DESCRIBED, list(sizes(*grown)), None))
    assert ("**Flat in every stage.**" if holds else "**Growing: prepare.**") in text


@pytest.mark.parametrize(("seconds", "verdict"), [(50, "0.60 of the time of one, as they"), (60, "0.70 of the time")])
def test_two_instances_are_compared_with_one(seconds: float, verdict: str) -> None:
    stages = [Stage(name, Usage(time, time, 1), 1) for name, time in (("one", 100), ("two", seconds), ("merge", 10))]
    assert verdict in "".join(page(DESCRIBED, list(sizes(100, 0, 10_000_000)), TwoHosts(*stages)))


def test_jobs_side_by_side_take_the_time_of_the_slower_one() -> None:
    assert Usage(3, 4, 50).beside(Usage(5, 2, 40)) == Usage(5, 6, 50)


def test_a_small_disk_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="name another disk's folder in TMPDIR"):
        check_disk(tmp_path, 10**9, 2)
    assert space_for(100_000, 2) < 10**10


def test_memory_that_is_no_files_is_seen() -> None:
    size = 200 << 20
    before = own_memory(os.getpid())
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:  # never a part of the heap that was free
        held.write(b"1" * size)
        assert own_memory(os.getpid()) - before > size // 2
    assert own_memory(2**22 + 1) == 0


def test_a_verb_is_measured_with_all_that_it_starts(tmp_path: Path) -> None:
    used = run(tmp_path, ["--help"], core=min(os.sched_getaffinity(0)))
    assert used.seconds > 0
    assert used.processor_seconds > 0


def test_a_verb_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"(?s)holds no pack.*The verb train failed"):
        run(tmp_path, ["train"])
