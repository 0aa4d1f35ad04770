"""The page about a million images says what the model and the template say."""

import pytest

from benchmarks.cost_page import plan_with
from benchmarks.scale_page import INSTANCES, SIZES, first, page, stage_limit
from job_manager.domain.costs.expectation import expectation
from tests.contract.template import ROOT


def test_the_page_is_as_the_model_and_the_template_are_now() -> None:
    written = (ROOT / "docs/scale.md").read_text(encoding="utf-8")

    assert written == "".join(page()), "Write it again with: make scale-page"


def test_each_size_has_a_row_for_each_of_its_stages() -> None:
    sections = "".join(page()).split("\n## ")[1:]

    for images, section in zip(SIZES, sections, strict=False):
        assert section.startswith(f"{images:,} images")
        for stage in expectation(plan_with({"PrepareInstances": INSTANCES}), images).stages:
            assert f"\n| {stage.stage} | {stage.jobs} x {stage.instance_type} |" in section


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1000, 1023, 1024, 1025])
def test_the_first_number_that_reaches_a_limit_is_found(limit: int) -> None:
    assert first(lambda images: images >= limit) == limit


def test_more_instances_bring_more_images_within_the_time_limit() -> None:
    limits = [
        float(stage_limit(plan_with({"PrepareInstances": count}), "prepare", "", 3600)[3].replace(",", ""))
        for count in ("1", INSTANCES)
    ]
    assert 10 * limits[0] < limits[1]
