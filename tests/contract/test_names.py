"""The rules on names: one text for the job manager and the trainer, and what they say about labels."""

import inspect
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import job_manager.domain.names
import trainer.names
from trainer.names import clean_label, label_key, one_label_each, spelling_notices

LABELS = st.text(max_size=12)


def test_the_job_manager_and_the_trainer_have_the_same_rules() -> None:
    assert inspect.getsource(job_manager.domain.names) == inspect.getsource(trainer.names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Maize", "mAIZE"),
        ("Maize", "  Maize\t"),
        ("Fat Hen", "Fat  Hen"),
        ("Fat Hen", "Fat\u00a0Hen"),
        ("Fat Hen", "Fat\u2003Hen"),
        ("Maize", "Ma\u200bize"),
        ("Maize", "\ufeffMaize\u200e"),
        ("Maize", "Maize\u200d"),
        ("Maize", "Mai\u00adze"),
        ("Maize", "\uff2d\uff41\uff49\uff5a\uff45"),
        ("Größe", unicodedata.normalize("NFD", "Größe")),
        ("Größe", "GRÖSSE"),
        ("Small-flowered", "Small\u2013flowered"),
        ("Small-flowered", "Small\u2011flowered"),
        ("Shepherd's Purse", "Shepherd\u2019s Purse"),
        ("\u2764", "\u2764\ufe0f"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u0631\u0648\u0645"),
        ("\ud55c\uae00", unicodedata.normalize("NFD", "\ud55c\uae00")),
    ],
)
def test_labels_that_look_alike_are_one(one: str, other: str) -> None:
    assert label_key(one) == label_key(other)
    assert one_label_each({one: 3, other: 2}) == {one: one, other: one}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Maize", "Maise"),
        ("Fat Hen", "Fat_Hen"),
        ("Fat Hen", "FatHen"),
        ("class 1", "class 2"),
        ("e", "é"),
        ("玉米", "玉"),
    ],
)
def test_other_labels_stay_different(one: str, other: str) -> None:
    assert one_label_each({one: 3, other: 2}) == {one: one, other: other}


def test_the_spelling_with_the_most_images_is_cleaned() -> None:
    most = unicodedata.normalize("NFD", " Fette \u200b  Größe\u200c ")
    assert set(one_label_each({"fette größe": 2, most: 3}).values()) == {"Fette Größe"}


def test_a_joiner_within_a_label_stays() -> None:
    assert clean_label("\u0645\u06cc\u200c\u0631\u0648\u0645\u200c") == "\u0645\u06cc\u200c\u0631\u0648\u0645"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fat Hen", "Fat_Hen"),
        ("Fat Hen", "fat-hen"),
        ("Fat Hen", "FatHen"),
        ("Fat Hen", "F\u0430t Hen"),
        ("TAXI", "\u03a4\u0391\u03a7\u0399"),
        ("Shepherd's Purse", "Shepherds Purse"),
    ],
)
def test_labels_that_differ_slightly_stay_two_with_a_notice(one: str, other: str) -> None:
    (notice,) = spelling_notices({one: 12, other: 12})
    assert set(one_label_each({one: 12, other: 12}).values()) == {one, other}
    assert f'"{one}"' in notice
    assert f'"{other}"' in notice
    assert notice.endswith("are different labels: if they mean the same, give their folders one name.")


def test_a_notice_names_five_spellings_and_counts_the_rest() -> None:
    (notice,) = spelling_notices({"Maize" + "\u200b" * n: 20 - n for n in range(9)})
    assert notice.count('"Maize') == 6
    assert " and 4 more differ only in " in notice


@given(LABELS)
def test_a_cleaned_label_has_the_same_key(label: str) -> None:
    assert clean_label(clean_label(label)) == clean_label(label)
    assert label_key(clean_label(label)) == label_key(label) == label_key(label_key(label))


@given(st.dictionaries(LABELS, st.integers(1, 9), max_size=8))
def test_each_spelling_gets_the_label_of_its_key(images: dict[str, int]) -> None:
    label_of = one_label_each(images)
    assert label_of.keys() == images.keys()
    assert all(label_key(label) == label_key(spelling) for spelling, label in label_of.items())
    assert len(set(label_of.values())) == len({label_key(spelling) for spelling in images})
