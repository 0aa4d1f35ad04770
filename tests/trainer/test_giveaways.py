"""The dataset's report says where labels can be told by how their images were saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.painting import paint
from trainer.decoding.inspection import Inspection
from trainer.decoding.pool import DecoderPool
from trainer.preparation.giveaways import ADVICE, NAMES_SHOWN, SENTENCES, giveaway_lines
from trainer.preparation.survey import inspections

PICTURE = paint((40, 160, 60), 1)
SAVED: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "PNG": ({"format": "PNG"}, ("32 x 32 pixels", "PNG")),
    "palette": ({"format": "GIF"}, ("32 x 32 pixels", "GIF", "GIF with a palette")),
    "JPEG": (
        {"format": "JPEG", "quality": 75},
        ("32 x 32 pixels", "JPEG", "JPEG of quality 75", "JPEG with colours at a quarter of the resolution"),
    ),
    "progressive JPEG": (
        {"format": "JPEG", "quality": 92, "subsampling": 0, "progressive": True},
        ("32 x 32 pixels", "JPEG", "JPEG of quality 90", "JPEG with colours at full resolution", "progressive JPEG"),
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_an_image_tells_how_it_was_saved(name: str, decoders: DecoderPool, tmp_path: Path) -> None:
    options, ways = SAVED[name]
    PICTURE.resize((32, 32)).save(tmp_path / "image", **options)
    (found,) = decoders.inspections([tmp_path / "image"], [16])
    assert isinstance(found, Inspection)
    assert found.saved_as == ways


def test_labels_of_another_encoder_are_named(decoders: DecoderPool, tmp_path: Path) -> None:
    """Two of four labels were saved as JPEG by one program, the others by another at a higher quality."""
    files = []
    for label, quality in {"Maize": 60, "Fat Hen": 95, "Charlock": 60, "Cleavers": 95}.items():
        (tmp_path / label).mkdir()
        for number in range(12):
            paint((40, 160, 60), number).save(tmp_path / label / f"{number}.jpg", quality=quality)
            files.append(f"{label}/{number}.jpg")
    found = inspections(tmp_path, files, {16}, decoders)

    lines = giveaway_lines(
        (file.split("/")[0], image.saved_as) for file, image in found if isinstance(image, Inspection)
    )

    low = "100% of the images of Charlock, Maize are JPEG of quality 60, of the others 0%."
    high = "100% of the images of Cleavers, Fat Hen are JPEG of quality 95, of the others 0%."
    assert lines == [f"{low} {high} {ADVICE}"]


def images(**counts: tuple[int, int]) -> list[tuple[str, tuple[str, ...]]]:
    """Of each label so many JPEG and PNG images."""
    return [
        (label, (way,)) for label, count in counts.items() for way, of in zip(("JPEG", "PNG"), count, strict=True)
        for _ in range(of)
    ]  # fmt: skip


def test_ways_that_all_labels_share_are_not_told() -> None:
    assert giveaway_lines([]) == []
    assert giveaway_lines(images(Maize=(50, 0))) == []
    assert giveaway_lines(images(Maize=(50, 0), Charlock=(70, 0))) == []
    assert giveaway_lines(images(Maize=(50, 10), Charlock=(40, 20))) == []
    assert giveaway_lines(images(Maize=(5, 0), Charlock=(0, 50))) == [], "five images may be so by chance"
    assert giveaway_lines(images(Maize=(8, 2), Charlock=(3, 7))) == [], "as may a difference among ten"


def test_a_label_is_told_by_what_its_images_are_rather_than_by_what_they_are_not() -> None:
    told = giveaway_lines(images(Maize=(4, 36), Charlock=(90, 0), Cleavers=(95, 5)))
    assert told == [f"90% of the images of Maize are PNG, of the others 3%. {ADVICE}"]
    each = [("Maize", (f"{number} x {number} pixels",)) for number in range(40)]
    told = giveaway_lines([*each, *images(Charlock=(90, 0))])
    assert told == [f"100% of the images of Charlock are JPEG, of the others 0%. {ADVICE}"]
    told = giveaway_lines([*each, *images(Charlock=(90, 0), Cleavers=(40, 0), Fat=(50, 0))])
    assert told == [f"0% of the images of Maize are JPEG, of the others 100%. {ADVICE}"]


def test_sentences_and_names_are_few() -> None:
    labels = {f"label {number}": (20, 0) if number % 2 else (0, 20) for number in range(20)}
    (told,) = giveaway_lines(images(**labels))
    assert f"label 14, label 16 and {10 - NAMES_SHOWN} more are PNG, of the others 0%. 100%" in told
    many = [(f"label {number}", (f"{number} x 9 pixels",)) for number in range(40) for _ in range(20)]
    (told,) = giveaway_lines(many)
    assert told.count("of the others") == SENTENCES
