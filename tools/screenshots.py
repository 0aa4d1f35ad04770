"""Pictures of the page for docs/images, of a real run on a local cloud: `make screenshots`."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from seedbed.commands.dashboard import serving
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.parameters import PlanName, parameters
from seedbed.local_cloud.process import local_cloud
from seedbed.seedlings import write
from seedbed.stack import Stack, local_stack
from seedbed.upload import files_of, upload

IMAGES = Path(__file__).parents[1] / "docs" / "images"
IMAGES_PER_SPECIES, TRIALS, TRIALS_SHOWN = 40, 16, 6
WAIT = 900_000
COLOURS = 128
WIDTH, HEIGHT = 1280, 800
AT_THE_END = {"dashboard-model": "/models", "dashboard-run": "/runs/{run}", "dashboard-dataset": "/datasets"}
"""The pictures of pages once the run has ended; `{run}` stands for its id."""


def main() -> None:
    """Draw seedlings, run the whole flow on them, and keep pictures of it.

    The commands in them are as where the shell finds `seedbed`.
    """
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with TemporaryDirectory() as folder:
        photos = Path(folder, "photos")
        for _ in write(photos, IMAGES_PER_SPECIES):
            pass
        settings = {**parameters(PlanName.quick, TRIALS), "ImageSize": "224"}
        with local_cloud(Home(Path(folder, "home")), settings) as cloud:
            take_pictures(local_stack(cloud), photos)


def take_pictures(stack: Stack, photos: Path) -> None:
    """Upload the photographs, and take a picture of the run in progress, and of each page at its end."""
    with serving(lambda: stack, 0) as served, tab() as page:
        page.goto(served.address)
        for _ in upload(stack, files_of(photos), lambda *_: None):
            pass
        page.locator(".trials li").nth(TRIALS_SHOWN - 1).wait_for()
        keep(page, "dashboard-now")
        page.get_by_text("No run is in progress").wait_for()
        run = stack.get("/runs")["runs"][0]["run_id"]
        start = served.address.split("?", maxsplit=1)[0].rstrip("/")
        for name, path in AT_THE_END.items():
            page.goto(start + path.format(run=run))
            keep(page, name)


@contextmanager
def tab() -> Iterator[Page]:
    """A tab of Chromium that waits for as long as a run takes."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this machine. Debian's package is called chromium.")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        page.set_default_timeout(WAIT)
        yield page


def keep(page: Page, name: str) -> None:
    """Write a picture of what the tab shows."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
