"""Which files of the bucket a run uses, and what makes another dataset version."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_manager.domain.dataset import (
    MAXIMUM_IMAGE_BYTES,
    NAMES_KEPT,
    DatasetReport,
    ExcludedFile,
    StoredObject,
    take_snapshot,
)
from job_manager.domain.errors import RunRefused
from job_manager.domain.plan import Machine, Plan
from tests.fakes.world import PLAN

NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), exclude_characters="/\\"), max_size=20)
IMAGE = st.builds(
    lambda label, file, etag, size: StoredObject(f"seedlings/x{label}/x{file}", etag, size),
    NAMES,
    NAMES,
    st.text("0123456789abcdef-", min_size=32, max_size=36),
    st.integers(1, MAXIMUM_IMAGE_BYTES),
)
IMAGES = st.lists(IMAGE, min_size=1, max_size=8, unique_by=lambda image: image.key)


def stored(key: str, size: int = 1000, etag: str = "0" * 32) -> StoredObject:
    return StoredObject(key, etag, size)


def version(*objects: StoredObject, plan: Plan = PLAN) -> str:
    return take_snapshot(objects).version(plan)


def images(**per_label: int) -> list[StoredObject]:
    return [stored(f"seedlings/{label}/{i}.png") for label, count in per_label.items() for i in range(count)]


@pytest.mark.parametrize(
    "key",
    [
        "seedlings/Maize/1.png",
        "seedlings/Common wheat/a+b 100%.jpg",
        "seedlings/Maïs/#1 — früh.png",
        "seedlings/玉米/苗.png",
        "seedlings/Maize/1..png",
        "seedlings/Maize/Screenshot at 9.00\u202fAM.png",
        "seedlings/Maize/" + "m" * 255,
        "seedlings/\u06a9\u0627\u0647\u200c\u0647\u0627/1.png",
        "seedlings/\u0915\u094d\u200d\u0937/1.png",
        "seedlings/\u05d7\u05d9\u05d8\u05d4\u200f/1.png",
        "seedlings/\U0001f468\u200d\U0001f33e/1.png",
        "seedlings/\U0001f3f4\U000e0067\U000e0062\U000e007f/1.png",
        "seedlings/Maize\u00ad/\u200b1.png",
        "seedlings/private \ue000 and unassigned \U0001fbff/1.png",
        "seedlings/Veronica spp./CON",
    ],
)
def test_a_key_with_a_label_and_a_file_is_an_image(key: str) -> None:
    assert [image.key for image in take_snapshot([stored(key)]).images] == [key]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("readme.txt", "not at seedlings/<label>/<file>"),
        ("seedlings/1.png", "not at seedlings/<label>/<file>"),
        ("seedlings/Maize/plot 3/1.png", "not at seedlings/<label>/<file>"),
        ("seedlings//1.png", "not at seedlings/<label>/<file>"),
        ("Seedlings/Maize/1.png", "not at seedlings/<label>/<file>"),
        ("train/Maize/1.png", "not at seedlings/<label>/<file>"),
        ("/seedlings/Maize/1.png", "not at seedlings/<label>/<file>"),
        ("seedlings/../1.png", "hidden"),
        ("seedlings/Maize/..", "hidden"),
        ("seedlings/Maize/a\\..\\1.png", "a backslash"),
        ("seedlings/Maize/1\n.png", "a control character"),
        ("seedlings/Maize/\x1b[2J.png", "a control character"),
        ("seedlings/Maize/\x00.png", "a control character"),
        ("seedlings/Maize/" + "m" * 256, "longer than 255 bytes"),
        ("seedlings/\u2028/1.png", "a control character"),
        ("seedlings/Maize/.DS_Store", "its name is a hidden or system file's"),
        ("seedlings/__MACOSX/1.png", "its name is a hidden or system file's"),
        ("seedlings/ /1.png", "its name is blank"),
        ("seedlings/\u200b/1.png", "its name is blank"),
        ("seedlings/" + "é" * 128 + "/1.png", "longer than 255 bytes"),
    ],
)
def test_a_key_that_is_not_an_image_is_refused_and_listed(key: str, reason: str) -> None:
    snapshot = take_snapshot([stored(key)])

    assert snapshot.images == ()
    assert snapshot.refused[0].file == key.removeprefix("seedlings/")
    assert reason in snapshot.refused[0].reason


@pytest.mark.parametrize(
    ("size", "reason"), [(0, "an empty file"), (1, ""), (MAXIMUM_IMAGE_BYTES, ""), (MAXIMUM_IMAGE_BYTES + 1, "larger")]
)
def test_an_image_is_neither_empty_nor_huge(size: int, reason: str) -> None:
    snapshot = take_snapshot([stored("seedlings/Maize/1.png", size)])

    assert len(snapshot.images) == (not reason)
    assert all(reason in refused.reason for refused in snapshot.refused)


def test_run_outputs_and_folder_markers_are_ignored() -> None:
    snapshot = take_snapshot(
        [
            stored("runs/sb-1/snapshot.json"),
            stored("pretrained/vgg16.h5"),
            stored("seedlings/", 0),
            stored("seedlings/Maize/", 0),
        ]
    )

    assert (snapshot.images, snapshot.refused) == ((), ())


@given(IMAGES, st.randoms())
def test_the_version_does_not_depend_on_the_order_of_a_listing(objects: list[StoredObject], random: Any) -> None:
    shuffled = objects.copy()
    random.shuffle(shuffled)

    assert version(*shuffled) == version(*objects)


@given(IMAGES, st.data())
def test_the_version_changes_with_any_change_to_the_images(objects: list[StoredObject], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(objects) - 1))
    image, rest = objects[index], objects[:index] + objects[index + 1 :]
    size = image.size + 1 if image.size < MAXIMUM_IMAGE_BYTES else image.size - 1
    others = {
        version(*rest),
        version(*rest, replace(image, etag=image.etag + "0")),
        version(*rest, replace(image, size=size)),
        version(*rest, replace(image, key=image.key + "~" * 21)),
        version(*objects, stored("seedlings/" + "~" * 22 + "/1.png")),
    }

    assert len(others) == 5
    assert version(*objects) not in others


@given(IMAGES)
def test_the_version_ignores_refused_files_and_run_outputs(objects: list[StoredObject]) -> None:
    junk = [stored("notes.txt"), stored("seedlings/Maize/empty.png", 0), stored("runs/sb-1/pack/report.json")]

    assert version(*junk, *objects) == version(*objects)


@pytest.mark.parametrize(
    "change",
    [
        {"training_image": "seedbed-trainer:next"},
        {"trials": 5},
        {"strategy": "Random"},
        {"image_size": 128},
        {"views": 3},
        {"minimum_per_label": 5},
    ],
)
def test_the_version_changes_with_settings_that_decide_the_outcome(change: dict[str, Any]) -> None:
    assert version(*images(Maize=4), plan=replace(PLAN, **change)) != version(*images(Maize=4))


@pytest.mark.parametrize(
    "change",
    [{"parallel_trials": 1}, {"budget": 99.0}, {"training": Machine("ml.c5.large", 0.102)}, {"trial_time_limit": 60}],
)
def test_the_version_ignores_speed_and_cost(change: dict[str, Any]) -> None:
    assert version(*images(Maize=4), plan=replace(PLAN, **change)) == version(*images(Maize=4))


def test_too_few_images_are_refused_with_how_many_are_missing() -> None:
    with pytest.raises(
        RunRefused, match=r"too few images: 7 of the 8 that a run needs\. Upload 1 more under seedlings/"
    ):
        take_snapshot(images(Maize=4, Charlock=3)).check(PLAN)


def test_a_single_label_with_enough_images_is_refused() -> None:
    with pytest.raises(RunRefused, match=r"too few labels with at least 4 images: 1 of the 2 that a classifier needs"):
        take_snapshot(images(Maize=6, Charlock=3, Cleavers=1)).check(PLAN)


def test_two_labels_with_enough_images_are_accepted() -> None:
    take_snapshot(images(Maize=4, Charlock=4, Cleavers=1)).check(PLAN)


def test_spellings_of_one_label_count_together() -> None:
    spelt = {"Maize": 2, "maize ": 3, "MAIZE": 1, "Fat Hen": 2, "Fat\u00a0\u00a0Hen": 2}
    snapshot = take_snapshot(images(**spelt))
    assert snapshot.labels() == {"maize": 6, "Fat Hen": 4}
    snapshot.check(PLAN)


def test_spellings_of_one_label_are_not_two_labels() -> None:
    with pytest.raises(RunRefused, match="1 of the 2 that a classifier needs"):
        take_snapshot(images(Maize=6, maize=6, Charlock=3)).check(PLAN)


def test_a_report_also_lists_files_that_never_reached_prepare() -> None:
    report = DatasetReport(10, 9, refused=(ExcludedFile("Maize/b.png", "not an image"),))

    whole = report.with_refused([ExcludedFile("notes.txt", "not at seedlings/<label>/<file>")])

    assert (whole.images, whole.used) == (11, 9)
    assert [refused.file for refused in whole.refused] == ["notes.txt", "Maize/b.png"]


def test_a_report_lists_the_first_refused_files_and_counts_the_rest() -> None:
    names = [ExcludedFile(f"train/Maize/{i:05}.png", "not at seedlings/<label>/<file>") for i in range(10_000)]
    report = DatasetReport(10, 10, duplicates=tuple(names[:150]))

    whole = report.with_refused(names)

    assert (whole.images, len(whole.refused), whole.more_refused) == (10_010, NAMES_KEPT, 9_900)
    assert (len(whole.duplicates), whole.more_duplicates) == (NAMES_KEPT, 50)
