"""The page in a real browser, on a live run of the local cloud: in the dark and in the light, on a phone and a desk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Page, expect

from seedbed.dashboard.api import ApiError
from seedbed.local_cloud.home.folder import Home
from seedbed.stack import Stack
from tests.dashboard.client import Client, dashboard
from tests.local_cloud.conftest import LittleCloud, photograph, up
from tests.waiting import PATIENCE

PAGES = {
    "now": "/",
    "best model": "/models",
    "runs": "/runs",
    "a run": "/runs/{run}",
    "test images": "/runs/{run}/images?label=Maize",
    "two runs": "/compare?b={run}",
    "dataset": "/datasets/{version}",
    "likely wrong labels": "/datasets/{version}?kind=likely_wrong",
    "nothing": "/nothing",
}
"""Every page by its name, with `{run}` for the first run's id and `{version}` for its dataset's version."""
SCHEMES, WIDTHS = ("light", "dark"), (390, 1280)
LOOKS = list(product(SCHEMES, WIDTHS))
IMAGES = 48
expect.set_options(timeout=PATIENCE * 1000)
AWAY = "The local cloud is not running. Start it with: seedbed up"


@dataclass
class Site:
    """A dashboard of a local cloud; while `is_away` it finds none."""

    cloud: LittleCloud
    client: Client
    away: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where every page begins."""
        return f"http://127.0.0.1:{self.client.port}"


@dataclass
class Tab:
    """A browser's tab that has opened the page, and what it asked for and complained about."""

    page: Page
    site: Site
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page by its path."""
        self.page.goto(self.site.address + path)

    def check(self) -> None:
        """It asks nobody else, its policy holds, it fits its screen, and axe finds nothing."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, f"{self.page.url} is {wide} pixels wider than its screen"
        assert [address for address in self.asked if not address.startswith((self.site.address, "blob:"))] == []
        assert self.complaints == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    away: list[str] = []
    with up(Home(tmp_path_factory.mktemp("dashboard") / "home")) as cloud:

        def find() -> Stack:
            if away:
                raise ApiError(away[0])
            return cloud.stack

        with dashboard(find) as client:
            yield Site(cloud, client, away)


@pytest.fixture(scope="module")
def run(site: Site) -> dict[str, Any]:
    """A run that has completed."""
    if not site.cloud.runs():
        site.cloud.put_images(range(IMAGES))
    (run,) = site.cloud.ended_runs(1)
    assert run["state"] == "Completed"
    return run


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def tab(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab in the dark or in the light, on a narrow or a wide screen."""
    scheme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield opened(context, site)
    context.close()


@pytest.fixture
def plain_tab(browser: Browser, site: Site) -> Iterator[Tab]:
    """A tab in the light on a wide screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    yield opened(context, site)
    context.close()


def opened(context: BrowserContext, site: Site) -> Tab:
    context.set_default_timeout(PATIENCE * 1000)
    tab = Tab(context.new_page(), site)

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            tab.complaints.append(message.text)

    tab.page.on("request", lambda request: tab.asked.append(request.url))
    tab.page.on("console", note)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.goto(site.client.address)
    return tab


def sees(tab: Tab, text: str | re.Pattern[str]) -> None:
    """Wait until the page shows a text."""
    expect(tab.page.get_by_text(text).first).to_be_visible()


def test_a_run_is_followed_live(plain_tab: Tab) -> None:
    tab = plain_tab
    sees(tab, "No run yet")
    tab.check()
    tab.site.cloud.put_images(range(IMAGES))
    sees(tab, "A run is in progress")
    tab.check()
    expect(tab.page.locator("svg.spark").first).to_be_visible()
    tab.check()
    sees(tab, "No run is in progress")
    sees(tab, "of the test images right, now the best model.")
    assert len(tab.site.cloud.ended_runs(1)) == 1


@pytest.mark.parametrize("name", PAGES)
def test_each_page_reads_well(tab: Tab, run: dict[str, Any], name: str) -> None:
    tab.go(PAGES[name].format(run=run["run_id"], version=run["run_id"].split("-")[1]))
    tab.complaints = [text for text in tab.complaints if name != "nothing"]
    expect(tab.page.locator("h1")).to_have_count(1)
    tab.check()


def test_the_keyboard_reaches_the_content(plain_tab: Tab, run: dict[str, Any]) -> None:
    plain_tab.go("/models")
    plain_tab.page.keyboard.press("Tab")
    expect(plain_tab.page.locator(".skip")).to_be_focused()
    plain_tab.page.keyboard.press("Enter")
    expect(plain_tab.page.locator("main")).to_be_focused()
    plain_tab.page.keyboard.press("Tab")
    assert plain_tab.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_model_is_downloaded(plain_tab: Tab, run: dict[str, Any]) -> None:
    plain_tab.go("/models")
    with plain_tab.page.expect_download() as download:
        plain_tab.page.get_by_role("link", name="Download as ONNX").click()
    assert download.value.suggested_filename == f"{run['run_id']}-model.onnx"
    assert Path(download.value.path()).stat().st_size > 1_000_000


def test_the_report_opens(plain_tab: Tab, run: dict[str, Any]) -> None:
    plain_tab.go("/models")
    with plain_tab.page.context.expect_page() as report:
        plain_tab.page.get_by_role("link", name="The report").click()
    expect(report.value.locator("h1").first).to_be_visible()


def test_a_photograph_gets_an_answer(tab: Tab, run: dict[str, Any]) -> None:
    tab.go("/models")
    picture = FilePayload(name="a.png", mimeType="image/png", buffer=photograph("Maize", 1))
    tab.page.locator("#photo").set_input_files(picture)
    expect(tab.page.locator("#chosen")).to_be_visible()
    expect(tab.page.locator("#said")).to_have_text(re.compile(r"probability \d|does not answer predictions"))
    tab.complaints.clear()  # a browser notes each answer that is an error
    tab.check()


def test_a_cloud_that_has_ended_is_told_and_comes_back_by_itself(plain_tab: Tab, run: dict[str, Any]) -> None:
    tab = plain_tab
    tab.go("/")
    sees(tab, "No run is in progress")
    tab.site.away.append(AWAY)
    try:
        sees(tab, AWAY)
        tab.complaints.clear()
        tab.check()
    finally:
        tab.site.away.clear()
    sees(tab, "No run is in progress")


def test_a_run_is_stopped_and_tried_again(plain_tab: Tab, run: dict[str, Any]) -> None:
    tab = plain_tab
    tab.go("/")
    tab.site.cloud.put_images(range(IMAGES, 2 * IMAGES))
    sees(tab, "A run is in progress")
    tab.page.get_by_text("Stop this run").click()
    tab.page.get_by_role("button", name="Stop it").click()
    sees(tab, "is being stopped")
    sees(tab, "was stopped.")
    tab.check()
    tab.page.get_by_role("button", name="Try its images again").click()
    sees(tab, "get another attempt")
    sees(tab, "A run is in progress")
    tab.site.cloud.ended_runs(3)


def test_a_cell_of_the_matrix_opens_its_photographs_by_keyboard(plain_tab: Tab, run: dict[str, Any]) -> None:
    plain_tab.go(f"/runs/{run['run_id']}")
    plain_tab.page.locator(".matrix td a").first.focus()
    plain_tab.page.keyboard.press("Enter")
    picture = plain_tab.page.locator("#cell img").first
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    plain_tab.check()


def test_trials_are_sorted_and_their_curves_open_in_place(plain_tab: Tab, run: dict[str, Any]) -> None:
    plain_tab.go(f"/runs/{run['run_id']}")
    plain_tab.page.get_by_role("link", name="Accuracy").click()
    expect(plain_tab.page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Accuracy"))
    assert "sort=accuracy" in plain_tab.page.url
    plain_tab.page.locator(".trial-table tbody th a").first.click()
    expect(plain_tab.page.locator("#curves svg.curves")).to_have_count(2)
    plain_tab.check()


@pytest.fixture(scope="module")
def two_runs(site: Site, run: dict[str, Any]) -> list[str]:
    """The names of two runs that have completed on the same images: the first, and one that is asked for."""
    before = len(site.cloud.runs())
    site.cloud.stack.post("/runs", {"again": True, "trials": 2})
    ended = site.cloud.ended_runs(before + 1)
    assert ended[-1]["state"] == "Completed"
    return [run["run_id"], ended[-1]["run_id"]]


def test_two_runs_are_compared_side_by_side(tab: Tab, two_runs: list[str]) -> None:
    one, other = two_runs
    tab.go(f"/compare?a={one}&b={other}")
    sees(tab, re.compile("images that are in both test splits|same .*images", re.IGNORECASE))
    expect(tab.page.locator("h1")).to_have_count(1)
    tab.check()
