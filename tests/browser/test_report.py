"""The report in a real browser: on a phone and on a screen, dark and light, for people who see and who do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.trainer.findings import CHANGES, evaluation_of, facts_of
from tests.trainer.test_report import candidate, mistake
from tests.waiting import PATIENCE
from trainer.answering.averages import softmax
from trainer.evaluation.calibration import reliability
from trainer.evaluation.report import Findings, write_report

LABELS = [
    f"{name} of the field" for name in ("Maize", "Charlock", "Cleavers", "Fat Hen", "Sugar beet", "Chickweed")
] * 2
NAMES = [f"{label} {number}" for number, label in enumerate(LABELS)]
LONG = "sb-0123456789abcdef0123-1"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything that one can have."""
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    rng = np.random.default_rng(2)
    probabilities = softmax(rng.normal(size=(60, len(NAMES))).astype(np.float32))
    bins = reliability(probabilities, rng.integers(0, len(NAMES), 60).astype(np.int32))
    by_change = {"noise": {"accuracy": 0.625, "macro_f1": 0.6}, "blurred": {"accuracy": 0.875, "macro_f1": 0.9}}
    champion = {"images": 96, "accuracy": 0.72, "accuracy_interval": [0.62, 0.8], "macro_f1": 0.7}
    chosen = candidate("head")
    found = Findings(
        evaluation=evaluation_of(NAMES, champion={**champion, "changes": {**CHANGES, "by_change": by_change}}),
        facts=facts_of(NAMES),
        candidates=[chosen, candidate("head", views=1)],
        chosen=chosen,
        validation_counts=[8] * len(NAMES),
        parameters=3_400_000,
        reliability_before=bins,
        reliability_after=bins,
        mistakes=[mistake(f"{NAMES[0]}/{number}.png", NAMES[0], NAMES[1]) for number in range(3)],
        run=LONG,
        champion_run=LONG.replace("-1", "-2"),
    )
    write_report(path, found)
    return path


@pytest.fixture(params=[(scheme, width) for scheme in ("light", "dark") for width in (390, 1280)], ids=str)
def opened(browser: Browser, report: Path, request: Any) -> Iterator[Page]:
    """The report in a window of 390 or 1,280 pixels; whatever it asks for beside itself fails the test."""
    scheme, width = request.param
    asked: list[str] = []
    with (
        browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True) as context,
        context.new_page() as page,
    ):
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda made: asked.append(made.url))
        page.goto(report.as_uri())
        yield page
        assert [url for url in asked if not url.startswith(("data:", report.as_uri()))] == []


def test_axe_finds_nothing(opened: Page) -> None:
    found = Axe().run(opened)

    assert found.violations_count == 0, found.generate_report()


def test_nothing_is_wider_than_the_window_but_what_scrolls_in_its_own_box(opened: Page) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")

    matrix = opened.get_by_role("region", name="Confusion matrix")
    box = matrix.bounding_box()
    assert box
    assert box["width"] <= opened.evaluate("innerWidth")


def test_the_matrix_can_be_scrolled_by_keyboard(browser: Browser, report: Path) -> None:
    with browser.new_context(viewport={"width": 390, "height": 900}) as context, context.new_page() as page:
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(report.as_uri())
        matrix = page.get_by_role("region", name="Confusion matrix")
        matrix.focus()
        matrix.press("ArrowRight")
        page.wait_for_function("box => box.scrollLeft > 0", arg=matrix.element_handle())


def test_its_own_policy_runs_no_script(browser: Browser, report: Path, tmp_path: Path) -> None:
    page_with_script = tmp_path / "report.html"
    text = report.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'ran'</script></main>")
    page_with_script.write_text(text, encoding="utf-8")
    with browser.new_page() as page:
        page.goto(page_with_script.as_uri())
        assert page.title() != "ran"
