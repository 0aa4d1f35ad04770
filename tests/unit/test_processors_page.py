"""The page about CPUs and GPUs says what the benchmarks' pages and the price list say."""

import pytest

from benchmarks.processors_page import (
    CPU,
    CPU_INSTANCE,
    GPU,
    OURS,
    RATES,
    SIZES,
    Measured,
    break_even,
    on_cpu,
    page,
    passes,
)
from job_manager.domain.costs.prices import PRICES
from tests.contract.template import ROOT


def test_the_page_is_as_its_sources_are_now() -> None:
    written = (ROOT / "docs/cpu-or-gpu.md").read_text(encoding="utf-8")

    assert written == "".join(page()), "Write it again with: make processors-page"


def test_each_measured_rate_has_a_row_that_links_its_page() -> None:
    text = "".join(page())

    for measured in RATES:
        assert f"[{measured.processor}]({measured.page}) | {measured.rate:,.4g} |" in text


@pytest.mark.parametrize("images", SIZES)
@pytest.mark.parametrize("start", [0.0, 60.0, 120.0])
def test_at_its_break_even_price_a_gpu_costs_as_much_as_the_cpu(images: int, start: float) -> None:
    on_gpu = break_even(images, start) / 3600 * (start + passes(images) / GPU.rate)

    assert on_gpu == pytest.approx(on_cpu(images, start))


def test_without_starts_a_gpu_may_cost_as_many_times_as_much_as_it_is_faster() -> None:
    assert break_even(SIZES[0], 0.0) == pytest.approx(GPU.rate / CPU.rate * PRICES[CPU_INSTANCE])


def test_the_more_there_is_to_train_the_more_a_gpu_may_cost() -> None:
    assert break_even(SIZES[0], 60) < break_even(SIZES[1], 60) < break_even(SIZES[2], 60) < break_even(SIZES[2], 0)


def test_a_page_without_the_rate_is_named() -> None:
    with pytest.raises(ValueError, match=r"docs/labels\.md doesn't say how fast .* is on 2 cores"):
        _ = Measured("whole network", "2 cores", "labels.md", OURS).rate
