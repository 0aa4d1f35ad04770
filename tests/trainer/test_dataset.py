"""Which images are used, in which split, and why others are left out."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import BadInput
from trainer.files import list_files
from trainer.names import HIDDEN
from trainer.preparation.dataset import CheckedImage, check_trainable, path_refusal, resolve, split_of


def digest(picture: int) -> str:
    return hashlib.sha256(str(picture).encode()).hexdigest()


def checked_image(file: str, picture: int) -> CheckedImage:
    """An image with this number; images with different numbers don't look alike."""
    return CheckedImage(file, digest(picture), hashlib.sha256(f"look {picture}".encode()).digest())


def images(label: str, pictures: range) -> list[CheckedImage]:
    return [checked_image(f"{label}/{picture}.png", picture) for picture in pictures]


checked_lists = st.lists(
    st.builds(
        lambda label, name, picture: checked_image(f"{label}/{name}.png", picture),
        st.sampled_from("abc"),
        st.integers(0, 30),
        st.integers(0, 12),
    ),
    unique_by=lambda image: image.file,
)


@given(checked=checked_lists, minimum=st.integers(1, 6))
def test_every_file_is_used_or_a_duplicate_or_refused(checked: list[CheckedImage], minimum: int) -> None:
    dataset = resolve(checked, {"x/broken.png": "damaged"}, minimum)
    outcome = [*(image.file for image in dataset.used), *dataset.duplicates, *dataset.refused]
    assert not dataset.near_duplicates
    assert sorted(outcome) == sorted([*(image.file for image in checked), "x/broken.png"])
    assert len({image.digest for image in dataset.used}) == len(dataset.used)
    assert all(sum(counts.values()) >= minimum for counts in dataset.counts().values())


@given(checked=checked_lists, order=st.randoms())
def test_the_order_of_the_files_does_not_matter(checked: list[CheckedImage], order: object) -> None:
    shuffled = sorted(checked, key=lambda image: digest(hash((image, str(order)))))
    assert resolve(checked, {}, 2) == resolve(shuffled, {}, 2)


@given(st.integers(10, 200), st.integers(0, 200))
def test_no_image_changes_its_split_as_the_dataset_grows(before: int, added: int) -> None:
    small = resolve(images("a", range(before)), {}, 1)
    large = resolve(images("a", range(before + added)) + images("b", range(1000, 1000 + added)), {}, 1)
    sides = {image.file: split_of(image.digest) for image in large.used}
    assert all(sides[image.file] == split_of(image.digest) for image in small.used)


def test_the_splits_are_close_to_70_15_and_15_percent() -> None:
    images_by_split = Counter(split_of(digest(picture)) for picture in range(100_000))
    assert images_by_split["train"] == pytest.approx(70_000, rel=0.01)
    assert images_by_split["validation"] == pytest.approx(15_000, rel=0.03)
    assert images_by_split["test"] == pytest.approx(15_000, rel=0.03)


def test_the_first_copy_by_name_is_used() -> None:
    dataset = resolve([checked_image("a/2.png", 1), checked_image("a/1.png", 1)], {}, 1)
    assert [image.file for image in dataset.used] == ["a/1.png"]
    assert dataset.duplicates == {"a/2.png": "the same image as a/1.png"}


def test_an_image_under_two_labels_is_refused_under_both() -> None:
    dataset = resolve([checked_image("a/1.png", 1), checked_image("b/1.png", 1), *images("a", range(5, 9))], {}, 1)
    assert dataset.refused == {
        "a/1.png": "the same image under another label: b/1.png",
        "b/1.png": "the same image under another label: a/1.png",
    }
    assert dataset.labels == ["a"]


def test_a_label_with_too_few_images_is_left_out_with_the_reason() -> None:
    dataset = resolve(images("few", range(3)) + images("many", range(10, 30)), {}, 10)
    assert dataset.labels == ["many"]
    reason = "too few images of its label: 3 usable, at least 10 are needed"
    assert dataset.refused == {f"few/{picture}.png": reason for picture in range(3)}


@pytest.mark.parametrize(
    ("checked", "sentence"),
    [
        ([], "none has as many"),
        (images("a", range(50)), "only a has as many"),
        (images("a", range(3)) + images("b", range(100, 103)), "none has as many"),
    ],
)
def test_a_dataset_with_fewer_than_two_labels_is_refused(checked: list[CheckedImage], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        check_trainable(resolve(checked, {}, 10), 10)


def test_a_dataset_with_an_empty_split_is_refused() -> None:
    both = images("a", range(40)) + images("b", range(90, 130))
    without_test = [image for image in both if split_of(image.digest) != "test"]
    with pytest.raises(BadInput, match="test split"):
        check_trainable(resolve(without_test, {}, 1), 1)


def test_a_label_without_images_in_a_split_is_named() -> None:
    without_test = [image for image in images("a", range(40)) if split_of(image.digest) != "test"]
    dataset = resolve(without_test + images("b", range(90, 130)), {}, 1)
    (warning,) = dataset.warnings()
    used = len(without_test)
    assert (
        warning == f"None of the {used} images of a fell into the test split: how well it is recognised stays unknown."
    )


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (2, "label 0 and label 1"),
        (3, "label 0, label 1 and label 2"),
        (7, "label 0, label 1, label 2, label 3, label 4 and 2 more"),
    ],
)
def test_labels_without_images_in_a_split_are_counted_in_one_warning(count: int, named: str) -> None:
    without_test = [picture for picture in range(60) if split_of(digest(picture)) != "test"]
    several = [checked_image(f"label {picture % count}/{picture}.png", picture) for picture in without_test]
    *_, warning = resolve(several + images("b", range(90, 130)), {}, 1).warnings()
    unknown = "how well they are recognised stays unknown"
    assert warning == f"{count} labels have no images in the test split, {named}: {unknown}."


def test_labels_that_look_alike_are_one_label() -> None:
    spellings = {"Maize": range(12), "maize ": range(20, 25), "Ma\u200bize": range(30, 33)}
    checked = [image for label, pictures in spellings.items() for image in images(label, pictures)]
    dataset = resolve(checked + images("Fat_Hen", range(40, 52)) + images("Fat Hen", range(60, 72)), {}, 12)
    assert {label: sum(counts.values()) for label, counts in dataset.counts().items()} == {
        "Fat Hen": 12,
        "Fat_Hen": 12,
        "Maize": 20,
    }
    alike, similar, *_ = dataset.warnings()
    assert alike.startswith(
        '"Maize" (12), "maize " (5) and "Ma\u200bize" (3) differ only in capitals, blanks or the form'
    )
    assert alike.endswith('all their images have the label "Maize".')
    assert similar.startswith('"Fat Hen" and "Fat_Hen" are different labels: if they mean the same,')


def test_two_files_of_one_name_both_stay_if_their_labels_are_one() -> None:
    dataset = resolve([checked_image("Maize/1.png", 1), checked_image("maize/1.png", 2)], {}, 1)
    assert [image.file for image in dataset.used] == ["Maize/1.png", "maize/1.png"]
    assert dataset.labels == ["Maize"]


def test_an_image_under_two_spellings_of_its_label_is_a_duplicate() -> None:
    dataset = resolve([checked_image("Maize/1.png", 1), checked_image("maize/1.png", 1)], {}, 1)
    assert dataset.duplicates == {"maize/1.png": "the same image as Maize/1.png"}


def test_a_trainable_dataset_is_accepted() -> None:
    check_trainable(resolve(images("a", range(40)) + images("b", range(90, 130)), {}, 10), 10)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("stray.png", "not in a label's folder"),
        ("Maize/.DS_Store", HIDDEN),
        (".cache/a/b.png", HIDDEN),
        ("Maize/._a.png", HIDDEN),
        ("__MACOSX/Maize/a.png", HIDDEN),
        ("Maize/THUMBS.DB", HIDDEN),
        ("Maize/@eaDir/a.png", HIDDEN),
        ("Maize/\udcff.png", "its name is not valid UTF-8"),
        ("Maize/a\n.png", "its name has a control character"),
        ("\u200b/a.png", "its name is blank"),
        ("\u06a9\u0627\u0647\u200c\u0647\u0627/a.png", None),
        ("Maize/a+b 50% #ä.png", None),
        ("Maize/day 1/a.png", None),
    ],
)
def test_names_that_cannot_belong_to_a_label_are_refused(file: str, reason: str | None) -> None:
    assert path_refusal(file) == reason


def test_files_below_links_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.png").touch()
    (tmp_path / "images/Maize/day 1").mkdir(parents=True)
    (tmp_path / "images/Maize/day 1/a.png").touch()
    (tmp_path / "images/Maize/link").symlink_to(tmp_path / "outside")
    assert list_files(tmp_path / "images") == ["Maize/day 1/a.png", "Maize/link"]
