"""How large images are, as the dataset report tells it."""

from dataclasses import replace

import pytest

from tests.trainer.test_mosaic import dataset_of
from trainer.preparation.dataset import Dataset
from trainer.preparation.sizes import MAX_LABELS, MAX_RANGES, label_sizes, size_counts
from trainer.preparation.survey import Survey


def of_sides(*sides: int) -> tuple[Dataset, Survey]:
    dataset, found = dataset_of({"Maize": len(sides)})
    return dataset, replace(found, longer_sides=list(sides))


def test_images_of_one_size_are_one_range() -> None:
    assert size_counts(*of_sides(150, 150, 150)) == [{"least": 150, "most": 150, "images": 3}]


@pytest.mark.parametrize("sides", [(1, 2, 3), (150, 151), (100, 4000, 6000, 200), tuple(range(1, 3000, 7))])
def test_each_image_is_in_one_range(sides: tuple[int, ...]) -> None:
    ranges = size_counts(*of_sides(*sides))
    assert len(ranges) <= MAX_RANGES
    assert (ranges[0]["least"], ranges[-1]["most"]) == (min(sides), max(sides))
    assert [one["most"] + 1 for one in ranges[:-1]] == [other["least"] for other in ranges[1:]]
    for one in ranges:
        assert one["images"] == sum(one["least"] <= side <= one["most"] for side in sides)


def test_a_label_has_its_smallest_middle_and_largest_image() -> None:
    assert label_sizes(*of_sides(100, 4000, 300)) == {"Maize": [100, 300, 4000]}


def test_the_labels_are_limited_and_no_image_is_no_size() -> None:
    assert len(label_sizes(*dataset_of({f"label {number:03}": 1 for number in range(300)}))) == MAX_LABELS
    dataset, found = dataset_of({"Maize": 1})
    assert size_counts(replace(dataset, used=[], labels=[]), found) == []
